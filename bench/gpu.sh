#!/usr/bin/env bash
# What is written for a GPU, tried on a machine that has one, and no network.
#   bench/gpu.sh pack          here: what that machine lacks goes into .gpu/pack.tar.xz, some 45 MB (TEXTMILL_HUB_MIRROR: IMDB)
#   bench/gpu.sh run [--dry]   there, in a checkout with .gpu/: 8 minutes, bench/results/gpu.json; --dry: on a CPU, small
# That machine brings Python 3.12 as python3, torch with CUDA, numpy and pyarrow.
set -euo pipefail
cd "$(dirname "$0")/.."
packages="polars polars-runtime-32 pydantic pydantic_core annotated-types typing_extensions typing-inspection safetensors ruamel.yaml threadpoolctl"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

case "${1:-}" in
pack)
  pins=()
  for name in $packages; do pins+=("$(grep -i "^$name==" requirements.lock)"); done
  python -m pip install --quiet --no-deps --no-compile --only-binary=:all: --python-version 3.12 --implementation cp \
    --platform manylinux_2_28_x86_64 --platform manylinux_2_17_x86_64 --platform manylinux2014_x86_64 \
    --target "$folder/site" "${pins[@]}"
  PYTHONPATH=.:bench python bench/gpu/pack.py "$folder/imdb"
  mkdir -p .gpu
  tar --sort=name --mtime=@0 --owner=0 --group=0 -C "$folder" -c site imdb | xz -6 -T0 >.gpu/pack.tar.xz
  ls -l .gpu/pack.tar.xz
  ;;
run)
  python3 -m tarfile --filter data -e .gpu/pack.tar.xz "$folder"
  export PYTHONPATH="$folder/site:$PWD:$PWD/bench" PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
  timeout 450 python3 bench/gpu "$folder/imdb" "${@:2}"
  ;;
*)
  sed -n '2,4s/^# //p' "$0" >&2
  exit 2
  ;;
esac

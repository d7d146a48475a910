"""What checking its inputs costs each stage, as a share of a whole `dvc repro`.

Run: `make bench ONLY=door`; it uses a temporary copy of this checkout with its own DVC cache. The cases are the default
experiment and, if TEXTMILL_HUB_MIRROR is set, IMDB with the linear model alone, which hashes the most for its time.
In a row, `ours` is the sum over all stages of what `textmill.stage` does before a stage, each in a new process that has
imported the stage, whose imports it shares; `reference` is `dvc repro`; `ratio` is the share.
"""

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from checkout import ROOT, checkout, seconds
from side_by_side import write

from textmill import lockfile
from textmill.config import as_yaml, load_params

CHECK = """
import sys, time
sys.path.insert(0, "")
from textmill import stage
stage._main_of(sys.argv[1].split("@")[0])
start = time.perf_counter()
stage._check(sys.argv[1])
print(time.perf_counter() - start)
"""


def door(folder: Path) -> dict[str, float]:
    """Returns the seconds of the check before each stage of a folder with results: the best of three."""
    env = {**os.environ, "PYTHONPATH": str(folder)}

    def once(stage: str) -> float:
        command = [sys.executable, "-c", CHECK, stage]
        return float(subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=True).stdout)

    stages = lockfile.entries((folder / lockfile.LOCK).read_text(encoding="utf-8"))
    return {stage: min(once(stage) for _ in range(3)) for stage in stages}


def case(name: str, params: dict[str, Any]) -> dict[str, Any]:
    """Runs an experiment from nothing; prints and returns a row of the result."""
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        checkout(folder)
        (folder / "params.yaml").write_text(as_yaml(params), encoding="utf-8")
        (folder / lockfile.LOCK).unlink()
        whole = seconds(["dvc", "repro"], folder)
        times = door(folder)
    spent, slowest = sum(times.values()), max(times, key=times.__getitem__)
    print(
        f"{name:22} {spent:6.2f} s of {whole:7.1f} s   {spent / whole:6.2%}   {slowest} {times[slowest] * 1000:.0f} ms"
    )
    figures = {"ours": round(spent, 3), "reference": round(whole, 1), "unit": "s", "ratio": round(spent / whole, 4)}
    return {"case": name, **figures, "spread": 1.0}


def main() -> None:
    rows = [case("default", load_params(ROOT / "params.yaml"))]
    if "TEXTMILL_HUB_MIRROR" in os.environ:
        imdb = load_params(ROOT / "presets/imdb.yaml")
        rows.append(case("IMDB, linear model", imdb | {"models": {"linear": imdb["models"]["linear"]}}))
    write("door", rows)


if __name__ == "__main__":
    main()

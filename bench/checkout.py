"""Copies of this checkout in which to run commands, each with its own DVC cache."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent


def checkout(folder: Path) -> None:
    """Copies what git has or would add, the downloads and the user's own files into a new repository."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    for brought in ("data/downloads", "data/input"):
        if (ROOT / brought).is_dir():
            shutil.copytree(ROOT / brought, folder / brought, dirs_exist_ok=True)
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)


def seconds(command: list[str], folder: Path, first: Path = BIN) -> float:
    """Returns the wall seconds of a command whose PATH begins with `first`. Ends this process if it fails."""
    env = {
        **os.environ,
        "PATH": os.pathsep.join([str(first), str(BIN), os.environ["PATH"]]),
        "PYTHONPATH": str(folder),
        "DVC_NO_ANALYTICS": "true",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    env.pop("MLFLOW_TRACKING_URI", None)
    start = time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
    taken = time.perf_counter() - start
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return taken

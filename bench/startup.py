"""Start-up time against work: each stage of a whole `dvc repro`, and a run with nothing to do.

Run: `make bench ONLY=startup`; it uses a temporary copy of this checkout with its own DVC cache.
A stage's seconds are those of its process, measured from outside. Start-up is the time of a bare interpreter plus that
of all imports, according to `-X importtime`; the rest is work. `dvc` is the time of the run outside its stages.
In a row, `ours` is work and `reference` all seconds, so `ratio` is the share of work. For runs with nothing to do,
`ours` is `textmill repro`, `reference` is `dvc repro`, and `ratio` says how many times longer `dvc repro` takes.
"""

import json
import os
import re
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from checkout import checkout, seconds
from side_by_side import write

HEAVY = "import datasets, dvc.repo, matplotlib, mlflow, pandas, polars, sklearn, torch"
# Replaces the stages' python: writes the times of a stage and of its imports to a file next to this script.
PYTHON = """#!PYTHON
import json, os, subprocess, sys, time
start = time.perf_counter()
done = subprocess.run(["PYTHON", "-X", "importtime", *sys.argv[1:]], stderr=subprocess.PIPE, text=True)
note = {"seconds": time.perf_counter() - start, "told": done.stderr}
with open(os.path.join(os.path.dirname(__file__), os.environ["DVC_STAGE"] + ".json"), "w") as file:
    json.dump(note, file)
sys.exit(done.returncode)
""".replace("PYTHON", sys.executable)


def row(case: str, ours: float, reference: float, ratio: float, spread: float = 1.0) -> dict[str, Any]:
    """Prints and returns a row of the result."""
    print(f"{case:22} {ours:8.2f} s of {reference:8.2f} s   {ratio:5.2f}")
    figures = {"ours": round(ours, 2), "reference": round(reference, 2), "unit": "s", "ratio": round(ratio, 2)}
    return {"case": case, **figures, "spread": round(spread, 2)}


def main() -> None:
    with TemporaryDirectory() as name:
        folder, notes = Path(name) / "checkout", Path(name) / "notes"
        for made in (folder, notes):
            made.mkdir()
        checkout(folder)
        (notes / "python").write_text(PYTHON)
        (notes / "python").chmod(0o755)
        seconds([sys.executable, "-c", HEAVY], folder, notes)  # loads them from the disk once
        bare = min(seconds([sys.executable, "-c", "pass"], folder, notes) for _ in range(5))

        whole = seconds(["dvc", "repro"], folder, notes)
        rows, stages, work = [], 0.0, 0.0
        for path in sorted(notes.glob("*.json"), key=os.path.getmtime):
            stage = json.loads(path.read_text())
            imports = sum(map(int, re.findall(r"^import time: +(\d+) \|", stage["told"], re.MULTILINE))) / 1e6
            own = max(stage["seconds"] - bare - imports, 0.0)
            stages, work = stages + stage["seconds"], work + own
            rows.append(row(path.stem, own, stage["seconds"], own / stage["seconds"]))
        rows.append(row("dvc", 0.0, whole - stages, 0.0))
        rows.append(row("all of dvc repro", work, whole, work / whole))

        idle: dict[str, list[float]] = {"textmill": [], "dvc": []}
        for _ in range(3):
            for command, times in idle.items():
                times.append(seconds([command, "repro"], folder))
        ours, reference = (min(times) for times in idle.values())
        spread = max(max(times) / min(times) for times in idle.values())
        rows.append(row("nothing to do", ours, reference, reference / ours, spread))
    write("startup", rows)


if __name__ == "__main__":
    main()

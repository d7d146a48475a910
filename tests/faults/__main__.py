"""`python -m faults COUNT SEED [FOLDER]` in tests/: a seeded share of all faults, and what held; 0: all of them.

FOLDER: a project that has run; default: a new one.
"""

import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from conftest import ROOT

sys.path.insert(0, str(ROOT))  # for stages, which a script in tests/ would not find
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"  # a fork has no threads of its parent

from faults import bits, calls, disks, forks, kills, limits, lock, runs, system, together
from faults.project import Project, prepare

# How many of 100 cases. ALL is every case of all.
SHARES = {calls: 31, system: 20, limits: 16, disks: 8, kills: 7, bits: 6, lock: 4, runs: 5, together: 3}
IN_FORKS = (calls, system, limits, disks)
FEW = 50  # with fewer cases, only what runs in forks
ALL = 0


def main(count: int, seed: int, folder: Path | None) -> int:
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        if folder is None:
            folder = Path(scratch) / "project"
            subprocess.run([sys.executable, "-m", "faults", "prepare", folder], check=True)  # threads cannot fork
        project = Project(folder, Path(scratch) / "undisturbed")
        forks.warm()
        print(row("fault", "tried", "held", "failed"))
        tried, failed = Counter[str](), Counter[str]()
        for kind, share in SHARES.items():
            before = set(tried)
            for fault, what, wrong in faults(kind, share, project, count, seed, Path(scratch)):
                tried[fault] += 1
                failed[fault] += bool(wrong)
                if wrong:
                    print(f"FAILED: {fault}: {what}: {wrong}", flush=True)
            for fault in [one for one in tried if one not in before]:
                print(row(fault, tried[fault], tried[fault] - failed[fault], failed[fault]), flush=True)
        print(row("in all", tried.total(), tried.total() - failed.total(), failed.total()))
        print(f"{time.monotonic() - began:.0f} s, seed {seed}")
    return 1 if failed.total() else 0


def faults(
    kind: ModuleType, share: int, project: Project, count: int, seed: int, scratch: Path
) -> Iterator[tuple[str, str, str]]:
    """Yields the fault of each case that met it, what it met, and what was wrong or ''. Leaves the folder as it was."""
    number = None if count == ALL else round(count * share / 100)
    if number == 0 or (0 < count < FEW and kind not in IN_FORKS):
        return
    if lacks := system.absent() if kind is system else disks.absent(scratch / "disk") if kind is disks else "":
        print(f"skipped: {kind.__name__}: {lacks}")
        return
    for fault, what, check in kind.cases(project, number, random.Random(seed)):
        if (wrong := check()) is not None:
            yield fault, what, wrong
        project.restore_all()


def row(fault: str, *numbers: object) -> str:
    return f"{fault:28}" + "".join(f" {number:>6}" for number in numbers)


if __name__ == "__main__":
    if sys.argv[1] == "prepare":
        prepare(Path(sys.argv[2]))
    else:
        sys.exit(main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]) if sys.argv[3:] else None))

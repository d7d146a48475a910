"""Models side by side: the experiment of params.yaml from its data to MLflow, two models at a time against one.

Run: `make bench ONLY=arms`, which takes some minutes. `ours` is `textmill repro -j 2`, `reference` is `-j 1`, each in a
copy of this checkout that has nothing but what was downloaded; wall seconds, at the same `threads` a model.
Asserted: both end with the same bytes, in dvc.lock, metrics and report.
"""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from checkout import checkout, seconds
from side_by_side import row, write

RUNS = 2
SAME = ("dvc.lock", "metrics/**/*", "report/**/*")


def run(jobs: int) -> tuple[float, dict[str, bytes]]:
    """Seconds from nothing, and what came out."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        checkout(folder)
        seconds(["dvc", "repro", "download"], folder)
        taken = seconds(["textmill", "repro", "-j", str(jobs)], folder)
        return taken, {str(path.relative_to(folder)): path.read_bytes() for path in files(folder)}


def files(folder: Path) -> Iterator[Path]:
    for pattern in SAME:
        yield from (path for path in folder.glob(pattern) if path.is_file())


def main() -> None:
    times: dict[int, list[float]] = {2: [], 1: []}
    for _ in range(RUNS):
        outcomes = []
        for jobs, taken in times.items():
            spent, outcome = run(jobs)
            taken.append(spent)
            outcomes.append(outcome)
        assert outcomes[0] == outcomes[1], "not the same bytes"
    spread = max(max(taken) / min(taken) for taken in times.values())
    write("arms", [row("all models, two at a time", min(times[2]), min(times[1]), "wall s", spread)])


if __name__ == "__main__":
    main()

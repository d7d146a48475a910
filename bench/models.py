"""Training models in parallel: the experiment of params.yaml from its data to MLflow, two models at a time against one.

Run: `make bench ONLY=models`, which takes some minutes. `ours` is `textmill repro -j 2`, `reference` is `-j 1`, each in
a copy of this checkout with only the downloads; wall seconds, with the same `threads` per model.
Asserts that both produce the same bytes in dvc.lock, metrics and report.
"""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from checkout import checkout, seconds
from side_by_side import row, write

from textmill.config import PARAMS, load_params

ORDER = (1, 2, 2, 1)  # models at a time in successive runs
SAME = ("dvc.lock", "metrics/**/*", "report/**/*")


def run(jobs: int) -> tuple[float, dict[str, bytes]]:
    """Returns the seconds of a run from scratch, and the files that it wrote."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        checkout(folder)
        seconds(["dvc", "repro", "download"], folder)
        taken = seconds(["textmill", "repro", "-j", str(jobs)], folder)
        return taken, {str(path.relative_to(folder)): path.read_bytes() for path in files(folder)}


def files(folder: Path) -> Iterator[Path]:
    """Yields the result files of a run."""
    for pattern in SAME:
        yield from (path for path in folder.glob(pattern) if path.is_file())


def main() -> None:
    params = load_params(PARAMS)
    times: dict[int, list[float]] = {1: [], 2: []}
    outcomes: list[dict[str, bytes]] = []
    for jobs in ORDER:
        taken, outcome = run(jobs)
        times[jobs].append(taken)
        outcomes.append(outcome)
        first = outcomes[0]
        other = [name for name in first.keys() | outcome.keys() if first.get(name) != outcome.get(name)]
        assert not other, f"not the same bytes as in the first run: {sorted(other)}"
    spread = max(max(taken) / min(taken) for taken in times.values())
    case = f"{params['dataset']['name']}, {len(params['models'])} models, two at a time"
    write("models", [row(case, min(times[2]), min(times[1]), "wall s", spread)])


if __name__ == "__main__":
    main()

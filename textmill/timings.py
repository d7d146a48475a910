"""How long things took. Not among DVC's outputs: seconds differ from run to run, results must not."""

from pathlib import Path

from textmill.config import Section
from textmill.errors import ArtifactError
from textmill.results.record import Record

TIMINGS = Path("data/timings")  # where dvc.yaml has them, for commands that DVC does not start


class Timing(Record, Section):
    """In seconds; `started` and `ended` are the system's clock. None: not on this machine."""

    train_seconds: float | None = None  # of all seeds and of pretraining, the epochs before a resumption too
    epoch_seconds: list[float] | None = None  # of the seed that is shipped
    started: float | None = None
    ended: float | None = None
    predict_documents_per_second: float | None = None


def note(name: str, weights: str, facts: Timing, folder: Path) -> None:
    """Add what `facts` has set about the model called `name` whose weights have this digest."""
    known = recall(name, weights, folder)
    known.model_copy(update=facts.model_dump(exclude_unset=True)).write(_path(name, weights, folder))


def recall(name: str, weights: str, folder: Path) -> Timing:
    """What was noted of exactly these weights; nothing where they were not made on this machine."""
    return _read(_path(name, weights, folder))


def longest_training(name: str, folder: Path) -> float:
    """The most seconds that any weights of this model took; infinite where none were trained here."""
    known = [_read(path).train_seconds or 0.0 for path in (folder / name).glob("*.json")]
    return max(known, default=float("inf"))


def _read(path: Path) -> Timing:
    try:
        return Timing.read(path)
    except ArtifactError:
        return Timing()


def _path(name: str, weights: str, folder: Path) -> Path:
    return folder / name / f"{weights[:16]}.json"

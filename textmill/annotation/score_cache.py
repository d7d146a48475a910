"""A store for the scores of fits, so that they survive if a stage is killed or runs with other settings."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

from pydantic import RootModel

from textmill.files import digest, write_json
from textmill.records.record import Record

ByMetric = dict[str, float]  # scores by metric


class Stored(Record, RootModel[dict[str, ByMetric]]):
    """The scores by key."""

    STAGE: ClassVar = "curve"


class ScoreCache:
    """One model's scores by key, kept in `folder`. depends: everything else that they depend on."""

    def __init__(self, folder: Path, name: str, depends: Sequence[Any]):
        self.folder, self.name = folder, name
        self.path = folder / f"{name}-curve-{digest(depends)[:16]}.json"
        self.scores = Stored.read(self.path).root if self.path.is_file() else {}

    def get(self, key: str, make: Callable[[], ByMetric]) -> ByMetric:
        """Returns the scores of a key; calls `make` and keeps its result if they are new."""
        if key not in self.scores:
            self.scores[key] = make()
            write_json(self.path, self.scores)
        return self.scores[key]

    def delete_others(self) -> None:
        """Deletes this model's scores for other params or documents."""
        for path in self.folder.glob(f"{self.name}-curve-{'?' * 16}.json"):
            if path != self.path:
                path.unlink()

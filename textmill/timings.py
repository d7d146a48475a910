"""How long things took. Not among DVC's outputs: seconds differ from run to run, results must not."""

from pathlib import Path
from typing import Any

from textmill.errors import ArtifactError
from textmill.files import read_json, write_json

TIMINGS = Path("data/timings")


def note(name: str, weights: str, facts: dict[str, Any], folder: Path = TIMINGS) -> None:
    """Add facts about the model called `name` whose weights have this digest."""
    path = _path(name, weights, folder)
    write_json(path, {**recall(name, weights, folder), **facts})


def recall(name: str, weights: str, folder: Path = TIMINGS) -> dict[str, Any]:
    """What was noted of exactly these weights; empty where they were not made on this machine."""
    try:
        return read_json(_path(name, weights, folder))
    except ArtifactError:
        return {}


def _path(name: str, weights: str, folder: Path) -> Path:
    return folder / name / f"{weights[:16]}.json"

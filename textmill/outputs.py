"""What a stage writes: its folders must be writable, and the user's files must not be in what DVC deletes first."""

import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from textmill.config import PARAMS, load_params
from textmill.dag import OWNED, PIPELINE, load_pipeline, outputs
from textmill.errors import ParamsError
from textmill.files import writing


def check_inputs(sections: Mapping[str, Any], where: str, pipeline: Path) -> None:
    """Raises ParamsError, naming the key under `where`, if a file that `sections` read is in a stage's output.

    This must run before any stage: DVC deletes a stage's outputs, with everything in them, before it starts the stage.
    """
    owned = {pattern: stage for stage, pattern in owners(load_pipeline(pipeline)["stages"])}
    here = pipeline.parent.resolve()
    for key, path in _paths(sections, where):
        file = (here / path).resolve()
        if not file.is_relative_to(here):
            continue
        own = file.relative_to(here)
        for pattern, stage in owned.items():
            if any(re.fullmatch(pattern, one.as_posix()) for one in (own, *own.parents)):
                raise ParamsError(f"{key}: {path} is in an output of {stage}, which DVC deletes; move it to data/input")


def check_writable(stage: str, folder: Path = Path()) -> None:
    """Raises ResourceError if a folder that will hold an output of a stage cannot be written.

    stage: as DVC names it ('train@lstm').
    """
    paths = outputs(stage, load_pipeline(folder / PIPELINE), load_params(folder / PARAMS))
    parents = {next(one for one in (folder / path).parents if one.exists()) for path in paths}
    for parent in sorted(parents):  # Linux gives this file no name
        with writing(parent), tempfile.TemporaryFile(dir=parent, prefix=".", suffix=".part"):
            pass


def owners(stages: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yields each stage with a pattern of the paths of each of its outputs."""
    for name, stage in stages.items():
        body = stage.get("do") or stage
        for entry in (one for kind in OWNED for one in body.get(kind) or []):
            path = next(iter(entry)) if isinstance(entry, Mapping) else entry
            yield name, "[^/]+".join(map(re.escape, re.split(r"\$\{[^}]*\}", path)))


def _paths(value: Any, key: str) -> Iterator[tuple[str, str]]:
    """Yields the files under `path` in a section, with their keys. There may be one file per split."""
    if not isinstance(value, Mapping):
        return
    for name, found in value.items():
        where = f"{key}.{name}" if ": " in key else f"{key}: {name}"
        if name == "path":
            files = found if isinstance(found, Mapping) else {"": found}
            yield from ((f"{where}.{one}".rstrip("."), file) for one, file in files.items() if isinstance(file, str))
        else:
            yield from _paths(found, where)

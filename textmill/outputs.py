"""What a stage writes: its folders must be writable, and the user's files must not be in what DVC deletes first."""

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from textmill import dag
from textmill.errors import ParamsError
from textmill.files import writing


def check_user_files(sections: Mapping[str, Any], where: str, pipeline: Path) -> None:
    """Raises ParamsError, naming the key under `where`, if a file that `sections` read is in a stage's output.

    This must run before any stage: DVC deletes a stage's outputs, with everything in them, before it starts the stage.
    """
    stages = dag.load_pipeline(pipeline)
    owned = {path: name for name in stages["stages"] for path in dag.outputs(name, stages, {})}  # of any model
    here = pipeline.parent.resolve()
    for key, path in _paths(sections, where):
        file = (here / path).resolve()
        if not file.is_relative_to(here):
            continue
        own = file.relative_to(here).as_posix()
        for output, stage in owned.items():
            if dag.overlap(own, output):
                raise ParamsError(f"{key}: {path} is in an output of {stage}, which DVC deletes; move it to data/input")


def check_writable(outputs: Iterable[str]) -> None:
    """Raises ResourceError if a folder that will hold one of these outputs cannot be written."""
    parents = {next(one for one in Path(path).parents if one.exists()) for path in outputs}
    for parent in sorted(parents):  # Linux gives this file no name
        with writing(parent), tempfile.TemporaryFile(dir=parent, prefix=".", suffix=".part"):
            pass


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

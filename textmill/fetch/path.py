"""A file of the user's own, read where it lies."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from textmill.config import Section
from textmill.errors import ArtifactError
from textmill.fetch.places import Checksums, Fetched, Places, mismatch
from textmill.files import sha256


class PathFile(Section):
    """A file of the user's own."""

    source: Literal["path"]
    path: Annotated[str, Field(min_length=1)]
    sha256: Checksums


def fetch_path(path: Path, checksums: Sequence[str] | None, places: Places, folder: str | None = None) -> Fetched:
    """The file at `path`, or if nothing is there the one in the mirror's `folder`. checksums: None accepts any."""
    if places.mirror and folder and not path.exists():
        path = places.in_mirror(str(path), folder, path.name)
    if not path.is_file():
        what = "not a file" if path.exists() else "no such file"
        raise ArtifactError(f"{path}: {what}; put the file there, or name another")
    found = sha256(path)
    if checksums and found not in checksums:
        raise ArtifactError(mismatch(path, checksums, found))
    return Fetched(path, path.name, found)

"""A file of the user's own."""

import shutil
from pathlib import Path
from typing import Literal

from textmill.errors import ArtifactError, ParamsError
from textmill.files import sha256
from textmill.sources.dataset import Checksums, FileDataset, FileName, Members, Part, parts_of
from textmill.sources.store import Places


class LocalFile(FileDataset):
    """A file in data/input, which DVC watches, needs no checksum; one anywhere else does."""

    source: Literal["path"]
    path: FileName  # .csv .tsv .json .jsonl .txt .parquet, also in .gz .bz2 .zip .tar.gz
    sha256: Checksums | None = None  # any of them is good; a file in data/input needs none
    members: Members | None = None  # files of an archive: the label of all their rows, or null where a column tells


def fetch(dataset: LocalFile, places: Places) -> list[Part]:
    """Copy the file. If it is not there, the mirror may stand in."""
    path = Path(dataset.path)
    if places.mirror and not path.exists():
        path = places.in_mirror(dataset.path, dataset.name, path.name)
    if not path.is_file():
        what = "not a file" if path.exists() else "no such file"
        raise ArtifactError(f"{path}: {what}; put one there, or set dataset.path")
    if dataset.sha256 is None and not path.resolve().is_relative_to(places.inputs.resolve()):
        raise ParamsError(f"dataset.sha256: null, but DVC watches only {places.inputs}; give the checksum of {path}")
    try:
        copy = Path(shutil.copyfile(path, places.raw / path.name))
    except PermissionError as error:
        raise ArtifactError(f"{path}: {error.strerror}") from error
    found = sha256(copy)
    if dataset.sha256 is not None and found not in dataset.sha256:
        raise ArtifactError(f"{path}: expected sha256 {' or '.join(dataset.sha256)}, found {found}")
    return parts_of(copy, found, dataset.members)

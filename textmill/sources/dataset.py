"""The `dataset` section: what all sources share, and the manifest that tells `clean` what was downloaded."""

import codecs
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from textmill.config import Name, Section, like
from textmill.errors import ArtifactError, ParamsError
from textmill.fetch.archives import FORMATS, format_of, is_archive, members, opened
from textmill.files import read_json, sha256, write_json

MANIFEST = "manifest.json"


def _known_codec(encoding: str) -> str:
    try:
        "a".encode(encoding)
        return codecs.lookup(encoding).name
    except (LookupError, UnicodeError):
        raise ValueError(f"unknown encoding {encoding!r}; for example utf-8, utf-16, latin-1, cp1252") from None


def _distinct(labels: list[str]) -> list[str]:
    if len(set(labels)) < len(labels):
        raise ValueError(f"a label stands there twice: {', '.join(labels)}")
    return labels


def file_name(name: str) -> str:
    """`name`, if its ending tells how to read the file. Raises ValueError (pydantic words it) if not."""
    if format_of(name) is None and not is_archive(name):
        raise ValueError(f"{name!r} does not tell its format; known: {', '.join(FORMATS)}; also in gz, bz2, zip, tar")
    return name


Column = Annotated[str, Field(min_length=1)]
Label = Annotated[str, like(r"\S(.*\S)?", "a label without spaces around it")]
Labels = Annotated[list[Label], Field(min_length=2), AfterValidator(_distinct)]
Encoding = Annotated[str, AfterValidator(_known_codec)]
FileName = Annotated[str, AfterValidator(file_name)]
Members = Annotated[dict[str, Label | None], Field(min_length=1)]


class Dataset(Section):
    """Keys of every source. Columns are named as the file names them."""

    source: str  # where it comes from
    name: Name  # what reports and MLflow call it
    text: Column  # the column of the text, as the file names it
    label: Column | None  # the column of the class; null: `members` gives the labels
    group: Column | None = None  # the column of what must not be split up, say author or product: see split.by
    split: Column | None = None  # the column that says train, validation, test or unlabelled, if there is one
    id: Column | None = None  # the column that names each row once; null: made from the content
    labels: Labels | None = (
        None  # the classes in order, rows with others are left out; null: all that are found, sorted
    )


class FileDataset(Dataset):
    """Keys of the sources that give files."""

    encodings: Annotated[list[Encoding], Field(min_length=1)] = ["utf-8"]  # the first that decodes the whole file
    separator: Annotated[str, like(r'[^"\r\n]', "one character")] = ","  # between the cells of csv


@dataclass(frozen=True)
class Part:
    """One table of the raw data."""

    file: str  # in data/raw
    sha256: str  # of that file
    format: str  # one of FORMATS
    member: str | None = None  # if the file is an archive
    split: str | None = None  # of all its rows
    label: str | None = None  # of all its rows


def parts_of(path: Path, checksum: str, chosen: Mapping[str, str | None] | None = None) -> list[Part]:
    """What a file in data/raw holds: one table, or the chosen members of an archive, each with a label or None.

    An archive with one readable file needs no choice; a member that names no format is read as txt.
    """
    if not is_archive(path.name):
        if chosen:
            raise ParamsError(f"dataset.members: {path.name} is not an archive; set it to null")
        return [Part(path.name, checksum, format_of(path.name) or "txt")]
    if chosen is None:
        found = members(path)
        chosen = {name: None for name in found if format_of(name)}
        if len(chosen) != 1:
            raise ParamsError(
                f"dataset.members: null, but {path.name} holds {', '.join(found[:10])}; name what to read"
            )
    for name in chosen:
        with opened(path, name):  # an archive without it fails here, not in the next stage
            pass
    return [Part(path.name, checksum, format_of(name) or "txt", name, label=label) for name, label in chosen.items()]


def write_manifest(raw: Path, parts: list[Part]) -> None:
    """Tell what lies in the folder; written last, it says that the folder is complete."""
    write_json(raw / MANIFEST, {"parts": [asdict(part) for part in parts]})


def read_manifest(raw: Path) -> list[Part]:
    """The parts in a folder. Raises ArtifactError if a file is not the one that was downloaded."""
    try:
        parts = [Part(**part) for part in read_json(raw / MANIFEST)["parts"]]
    except (KeyError, TypeError) as error:
        raise ArtifactError(f"{raw / MANIFEST}: not a manifest; run `dvc repro --force download`") from error
    for file, checksum in {(part.file, part.sha256) for part in parts}:
        if sha256(raw / file) != checksum:
            raise ArtifactError(f"{raw / file}: changed since the download; run `dvc repro --force download`")
    return parts

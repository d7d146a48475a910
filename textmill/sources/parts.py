"""What lies in data/raw, and the manifest that tells `clean` of it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from textmill.console import say
from textmill.errors import ArtifactError, DataError, ParamsError
from textmill.fetch.archives import contents_of, format_of, is_archive, members, opened
from textmill.files import read_json, sha256, write_json
from textmill.sources.dataset import Member
from textmill.sources.naming import Split, split_of_file

MANIFEST = "manifest.json"
Chosen = Mapping[str, str | Member | None]


@dataclass(frozen=True)
class Part:
    """One table of the raw data."""

    file: str  # in data/raw
    sha256: str  # of that file
    format: str  # one of FORMATS
    member: str | None = None  # if the file is an archive
    split: str | None = None  # of all its rows
    label: str | None = None  # of all its rows


def parts_of(
    path: Path,
    checksum: str,
    chosen: Chosen | None = None,
    *,
    file: str = "",
    split: Split | None = None,
    kind: str | None = None,
    by_name: bool = True,
) -> list[Part]:
    """What a file in data/raw holds: one table, or the chosen members of an archive.

    An archive with one readable file needs no choice, nor does one whose files' names tell train, test and so on.
    file: its name in data/raw, if not that of `path`; split: of all its rows; kind: dataset.format; by_name: whether
    the names of members tell their splits. A file whose name tells no format is read as txt.
    Raises ParamsError if `chosen` does not fit, and DataError if a file is of quite another kind.
    """
    file = file or path.name
    if not is_archive(path.name):
        if chosen:
            raise ParamsError(f"dataset.members: {path.name} is not an archive; set it to null")
        with opened(path) as data:
            kind = kind or format_of(path.name) or "txt"
            _check_kind(data, kind, path.name)
        return [Part(file, checksum, kind, split=split)]
    chosen = _choice(path, by_name and split is None, kind) if chosen is None else chosen
    parts = []
    for name, what in chosen.items():
        with opened(path, name) as data:  # an archive without it fails here, not in the next stage
            _check_kind(data, kind or format_of(name) or "txt", f"{path.name}!{name}")
        own = what if isinstance(what, Member) else Member(split=split_of_file(name) if by_name else None, label=what)
        parts.append(Part(file, checksum, kind or format_of(name) or "txt", name, split or own.split, own.label))
    if told := [f"{part.member} is {part.split}" for part in parts if part.split]:
        say(f"{path.name}: {', '.join(told)}")
    return parts


def _choice(path: Path, by_name: bool, kind: str | None) -> Chosen:
    """The files to read of an archive, if it is plain which."""
    found = [name for name in members(path) if not PurePosixPath(name).name.startswith(".")]  # of macOS: ._train.csv
    tables = [name for name in found if kind or format_of(name)]
    if len(tables) != 1 and not (by_name and "train" in (splits := [*map(split_of_file, tables)]) and all(splits)):
        raise ParamsError(f"dataset.members: null, but {path.name} holds {', '.join(found[:10])}; name what to read")
    return dict.fromkeys(tables)


def _check_kind(file: IO[bytes], kind: str, where: str) -> None:
    if kind != "parquet" and (what := contents_of(file)):
        raise DataError(f"{where}: this is {what}")


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


def digests(manifest: Path) -> dict[str, str]:
    """The sha256 of each file of the raw data, by its name. Raises ArtifactError if it is no manifest."""
    try:
        return {part["file"]: part["sha256"] for part in read_json(manifest)["parts"]}
    except (KeyError, TypeError) as error:
        raise ArtifactError(f"{manifest}: not a manifest; run `dvc repro --force download`") from error

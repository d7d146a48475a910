"""The tables in data/raw, and the manifest that lists them for `clean`."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Literal

from textmill.config import validate
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

    file: str  # its name in data/raw
    sha256: str  # that file's checksum
    format: str  # one of FORMATS
    member: str | None = None  # the file in it, if it is an archive
    split: str | None = None  # the split of all its rows
    label: str | None = None  # the label of all its rows


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
    """Returns the tables that a file in data/raw holds: one, or the chosen members of an archive.

    chosen: may be None for an archive with one table, or with tables whose names say train, test and so on.
    file: its name in data/raw, if it differs from that of `path`; split: the split of all its rows; kind:
    dataset.format; by_name: whether members' names give their splits. A name without a known ending is read as txt.
    Raises ParamsError if `chosen` does not fit the file, DataError if a file is not a text table.
    """
    file = file or path.name
    if not is_archive(path.name):
        if chosen:
            raise ParamsError(f"dataset.members: {path.name} is not an archive; set it to null")
        with opened(path) as data:
            kind = kind or format_of(path.name) or "txt"
            _check_kind(data, kind, path.name)
        return [Part(file, checksum, kind, split=split)]
    chosen = _obvious_members(path, by_name and split is None, kind) if chosen is None else chosen
    parts = []
    for name, what in chosen.items():
        with opened(path, name) as data:  # so that a missing member is reported now, not by the next stage
            _check_kind(data, kind or format_of(name) or "txt", f"{path.name}!{name}")
        own = what if isinstance(what, Member) else Member(split=split_of_file(name) if by_name else None, label=what)
        parts.append(Part(file, checksum, kind or format_of(name) or "txt", name, split or own.split, own.label))
    if named := [f"{part.member} is {part.split}" for part in parts if part.split]:
        say(f"{path.name}: {', '.join(named)}")
    return parts


def _obvious_members(path: Path, by_name: bool, kind: str | None) -> Chosen:
    """Returns the files of an archive to read, if there is no doubt. Raises ParamsError if there is."""
    found = [name for name in members(path) if not PurePosixPath(name).name.startswith(".")]  # macOS adds ._train.csv
    tables = [name for name in found if kind or format_of(name)]
    if len(tables) != 1 and not (by_name and "train" in (splits := [*map(split_of_file, tables)]) and all(splits)):
        raise ParamsError(
            f"dataset.members: null, but {path.name} contains {', '.join(found[:10])}; name the files to read"
        )
    return dict.fromkeys(tables)


def _check_kind(file: IO[bytes], kind: str, where: str) -> None:
    if kind != "parquet" and (what := contents_of(file)):
        raise DataError(f"{where}: this is {what}")


def write_manifest(raw: Path, parts: list[Part]) -> None:
    """Writes the list of what is in the folder. It is written last, so a folder that has it is complete."""
    write_json(raw / MANIFEST, {"parts": [asdict(part) for part in parts]})


def read_manifest(raw: Path) -> list[Part]:
    """Returns the parts in a folder. Raises ArtifactError if a file changed since the download."""
    parts = _listed(raw / MANIFEST)
    for file, checksum in {(part.file, part.sha256) for part in parts}:
        if sha256(raw / file) != checksum:
            raise ArtifactError(f"{raw / file}: changed since the download; run `dvc repro --force download`")
    return parts


def digests(manifest: Path) -> dict[str, str]:
    """Returns the sha256 of each raw file by its name. Raises ArtifactError if `manifest` is not a manifest."""
    return {part.file: part.sha256 for part in _listed(manifest)}


def _listed(manifest: Path) -> list[Part]:
    try:
        return validate(read_json(manifest), dict[Literal["parts"], list[Part]], f"{manifest}: ")["parts"]
    except (ParamsError, KeyError) as error:
        raise ArtifactError(f"{manifest}: not a manifest; run `dvc repro --force download`") from error

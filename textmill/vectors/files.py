"""Where a file of vectors comes from: it is kept by its checksum, and read packed as it came."""

import shutil
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import NamedTuple

from textmill.errors import ArtifactError, ParamsError
from textmill.files import sha256
from textmill.sources.packing import is_archive
from textmill.sources.store import Places, keep
from textmill.sources.url import download, name_of
from textmill.sources.wheel import download as download_wheel
from textmill.sources.wheel import take
from textmill.vectors.config import File, OfPath, OfUrl, OfWheel

FOLDER = "vectors"  # of the mirror


class Found(NamedTuple):
    """A file with the right checksum; `name` tells how it is packed, `path` may be called otherwise."""

    path: Path
    name: str
    member: str | None


def fetch(config: File, places: Places, where: str) -> Found:
    """The file that `config` names. Raises ParamsError, naming the key under `where`, if it lacks a member.

    Raises ArtifactError if it is missing or has another checksum, and ResourceError if its host gives none.
    """
    found = FETCH[config.source](config, places)
    if is_archive(found.name) and found.member is None:
        raise ParamsError(f"{where}.vectors.member: null, but {found.name} is an archive; name a file in it")
    if found.member is not None and not is_archive(found.name):
        raise ParamsError(f"{where}.vectors.member: {found.name} is not an archive; set it to null")
    return found


def _of_path(config: OfPath, places: Places) -> Found:
    path = Path(config.path)
    if places.mirror and not path.exists():
        path = places.in_mirror(config.path, FOLDER, path.name)
    if not path.is_file():
        what = "not a file" if path.exists() else "no such file"
        raise ArtifactError(f"{path}: {what}; put vectors there, or name another file")
    if (found := sha256(path)) not in config.sha256:
        raise ArtifactError(f"{path}: expected sha256 {' or '.join(config.sha256)}, found {found}")
    return Found(path, path.name, config.member)


def _of_url(config: OfUrl, places: Places) -> Found:
    name = name_of(config.url)

    def receive(target: Path) -> None:
        if places.mirror:
            shutil.copyfile(places.in_mirror(name, FOLDER, name), target)
        else:
            download(config.url, target)

    return Found(keep(name, config.sha256, places.downloads, receive), name, config.member)


def _of_wheel(config: OfWheel, places: Places) -> Found:
    def receive(target: Path) -> None:
        with TemporaryDirectory() as folder:
            take(download_wheel(config.package, Path(folder)), config.member, target)

    name = PurePosixPath(config.member).name
    return Found(keep(name, config.sha256, places.downloads, receive), name, None)


FETCH: dict[str, Callable[..., Found]] = {"path": _of_path, "url": _of_url, "wheel": _of_wheel}

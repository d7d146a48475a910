"""A file behind an http(s) address."""

import shutil
import time
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator

from textmill.console import progress, say
from textmill.errors import ArtifactError, ResourceError
from textmill.sources.dataset import Checksums, FileDataset, Members, Part, file_name, parts_of
from textmill.sources.store import Places, keep

TRIES = 3
PAUSE = 1.0  # seconds before the second try, twice as many before the third
TIMEOUT = (10, 60)  # seconds to connect, and to wait for the next bytes
CHUNK = 1 << 20


def name_of(url: str) -> str:
    """The name of the file behind an address."""
    return PurePosixPath(unquote(urlsplit(url).path)).name


def _http(url: str) -> str:
    address = urlsplit(url)
    if address.scheme == "file":
        raise ValueError("a local file is not a url; set dataset.source: path")
    if address.scheme not in ("http", "https") or not address.hostname:
        raise ValueError("expected an address that begins with https:// or http://")
    file_name(name_of(url))
    return url


class Url(FileDataset):
    """The pinned checksum makes any host good, so redirects are followed."""

    source: Literal["url"]
    url: Annotated[str, AfterValidator(_http)]  # of the file
    sha256: Checksums  # any of them is good
    members: Members | None = None  # files of an archive: the label of all their rows, or null where a column tells


def fetch(dataset: Url, places: Places) -> list[Part]:
    """Download the file, unless it is already here."""
    name = name_of(dataset.url)

    def receive(target: Path) -> None:
        if places.mirror:
            shutil.copyfile(places.in_mirror(name, dataset.name, name), target)
        else:
            download(dataset.url, target)

    kept = keep(name, dataset.sha256, places.downloads, receive)
    return parts_of(Path(shutil.copyfile(kept, places.raw / name)), kept.name, dataset.members)


def download(url: str, target: Path) -> None:
    """Write what the address gives, all of it, in at most three tries.

    Raises ResourceError if it cannot be had and ArtifactError if it ends too soon. Only the host's name is told:
    an address may hold a password.
    """
    import requests

    host = urlsplit(url).hostname
    say(f"{name_of(url)}: from {host}")
    for attempt in range(1, TRIES + 1):
        try:
            return _receive(url, target)
        except (requests.RequestException, ArtifactError) as error:
            problem = error
        if attempt < TRIES:
            time.sleep(PAUSE * attempt)
    if isinstance(problem, ArtifactError):
        raise problem
    answer = getattr(problem.response, "status_code", type(problem).__name__)
    raise ResourceError(f"{host}: {name_of(url)} cannot be had ({answer}); a file of your own: source: path")


def _receive(url: str, target: Path) -> None:
    import requests

    plain = {"Accept-Encoding": "identity"}  # the bytes as they lie there: the checksum is theirs
    with requests.get(url, stream=True, timeout=TIMEOUT, headers=plain) as response, open(target, "wb") as file:
        response.raise_for_status()
        length = int(response.headers.get("Content-Length", 0))
        try:
            for chunk in progress(response.iter_content(CHUNK), name_of(url), total=length // CHUNK + 1):
                file.write(chunk)
        except requests.exceptions.ChunkedEncodingError as error:
            raise ArtifactError(
                f"{name_of(url)}: expected {length:,} bytes, got {response.raw.tell():,}; try again"
            ) from error

"""A file behind an http(s) address."""

import shutil
import time
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator

from textmill.config import Section
from textmill.console import progress, say
from textmill.errors import ArtifactError, ResourceError
from textmill.fetch.places import Checksums, Fetched, Places

TRIES = 3
PAUSE = 1.0  # seconds before the second try, twice as many before the third
TIMEOUT = (10, 60)  # seconds to connect, and to wait for the next bytes
CHUNK = 1 << 20


def name_of(url: str) -> str:
    """The name of the file behind an address."""
    return PurePosixPath(unquote(urlsplit(url).path)).name


def _of_a_file(url: str) -> str:
    """`url`, if it is the http(s) address of a file. Raises ValueError (pydantic words it) if not."""
    address, name = urlsplit(url), name_of(url)
    if address.scheme not in ("http", "https") or not address.hostname:
        raise ValueError("expected an address that begins with https:// or http://; set source: path for a local file")
    if not name.strip(".") or not name.isprintable():
        raise ValueError("expected an address that ends in the name of a file")
    return url


Address = Annotated[str, AfterValidator(_of_a_file)]


class UrlFile(Section):
    """A file behind an http(s) address. The pinned checksum makes any host good, so redirects are followed."""

    source: Literal["url"]
    url: Address
    sha256: Checksums


def fetch_url(url: str, checksums: Sequence[str], places: Places, folder: str) -> Fetched:
    """The file behind an address, or the one in the mirror's `folder`."""
    name = name_of(url)

    def receive(target: Path) -> None:
        if places.mirror:
            shutil.copyfile(places.in_mirror(name, folder, name), target)
        else:
            download(url, target)

    kept = places.keep(name, checksums, receive)
    return Fetched(kept, name, kept.name)


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
    raise ResourceError(
        f"{host}: {name_of(url)} cannot be downloaded ({answer}); for a file of your own, set source: path"
    )


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

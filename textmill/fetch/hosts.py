"""Downloads: a file by http(s), a wheel by pip, a file from the Hugging Face hub."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from textmill.config import shown
from textmill.console import progress, say
from textmill.errors import ArtifactError, ResourceError
from textmill.fetch.budget import DEADLINE, at_most, check_size, in_time
from textmill.fetch.places import MIRROR

TRIES = 3
PAUSE = 1.0  # seconds before the second try; twice that before the third
TIMEOUT = (10, 60)  # seconds to wait for the connection, and for the next bytes
CHUNK = 1 << 14  # bytes; a slow host must fill several in budget.WINDOW


def name_of(url: str) -> str:
    """Returns the name of the file at an address."""
    return PurePosixPath(unquote(urlsplit(url).path)).name


def check_address(url: str) -> str:
    """Returns `url` if it is the http(s) address of a file. Raises ValueError (for pydantic) if not."""
    address, name = urlsplit(url), name_of(url)
    if address.scheme not in ("http", "https") or not address.hostname:
        raise ValueError("expected an address that begins with https:// or http://; set source: path for a local file")
    if not name.strip(".") or not name.isprintable():
        raise ValueError("expected an address that ends in the name of a file")
    return url


class _CutError(ArtifactError):
    """A download that ended too soon: another try may bring the rest."""


def download_url(url: str, target: Path, size: int | None = None) -> None:
    """Downloads a whole file to `target`, in at most three tries.

    size: in bytes, if it is pinned. Raises ResourceError if the host does not send the file or is too slow,
    ArtifactError if it sends more or less than it should. Messages name only the host, because an address may contain a
    password.
    """
    import requests

    host = urlsplit(url).hostname
    say(f"Downloading {name_of(url)} from {host}")
    for attempt in range(1, TRIES + 1):
        try:
            return _receive(url, target, size)
        except (requests.RequestException, _CutError) as error:
            problem = error
        if attempt < TRIES:
            time.sleep(PAUSE * attempt)
    if isinstance(problem, ArtifactError):
        raise problem
    answer = getattr(problem.response, "status_code", type(problem).__name__)
    raise ResourceError(f"{host}: cannot download {name_of(url)} ({answer}); to use your own copy, set source: path")


def _receive(url: str, target: Path, size: int | None) -> None:
    name, got = name_of(url), 0
    with closing(in_time(_answer(url, name, size), name)) as pieces, open(target, "wb") as file:
        expected = _length(next(pieces).decode("latin-1"), name)
        if expected is not None:
            check_size(expected, name, size)
        for piece in progress(at_most(pieces, name, size), name, total=(expected or size or 0) // CHUNK + 1):
            got += file.write(piece)
    if expected is None and size is not None and got < size:
        raise _CutError(f"{name}: expected {size:,} bytes, got {got:,}; try again")


def _answer(url: str, name: str, size: int | None) -> Iterator[bytes]:
    """Yields the header Content-Length, empty if it does not count the body's bytes, then the body.

    Raises RequestException if the host does not answer, _CutError if the body is not whole, ResourceError if the answer
    is not http.
    """
    import requests
    from urllib3.exceptions import HTTPError

    plain = {"Accept-Encoding": "identity"}  # the bytes as stored: the checksum was made of those
    try:
        with requests.get(url, stream=True, timeout=TIMEOUT, headers=plain) as response:
            if response.status_code != 200:
                raise requests.HTTPError(response=response)
            length = "" if "Content-Encoding" in response.headers else response.headers.get("Content-Length", "")
            yield length.encode("latin-1")
            try:
                yield from response.iter_content(CHUNK)
            except requests.exceptions.ChunkedEncodingError as error:
                expected = f"{int(length):,} bytes" if length else "more" if size is None else f"{size:,} bytes"
                raise _CutError(f"{name}: expected {expected}, got {response.raw.tell():,}; try again") from error
    except requests.RequestException:
        raise
    except (HTTPError, HTTPException, ValueError) as error:  # such as a redirect to http://[::1/x
        raise ResourceError(f"{name}: the host's answer is not valid http; set source: path") from error


def _length(header: str, name: str) -> int | None:
    """Returns the size that the host promises, or None. Raises ArtifactError if it is not a number."""
    if not header:
        return None
    if not re.fullmatch("[0-9]{1,18}", header):
        raise ArtifactError(f"{name}: the host says Content-Length: {shown(header)}, not a number; set source: path")
    return int(header)


def download_wheel(package: str, folder: Path) -> Path:
    """Downloads a package's wheel into a folder with pip. Raises ResourceError if pip fails."""
    say(f"pip download {package}")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check"]
    command += ["--no-deps", "--only-binary", ":all:", "--dest", str(folder), package]
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=DEADLINE)
    except subprocess.TimeoutExpired as error:
        raise ResourceError(f"pip download {package}: not complete after {DEADLINE / 3600:.0f} hours") from error
    wheels = list(folder.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        problems = [line for line in done.stderr.splitlines() if line.strip()] or ["no wheel came"]
        raise ResourceError(
            f"pip download {package}: {problems[-1]}; check that pip is installed and can reach its index"
        )
    return wheels[0]


def download_hub_file(repo: str, revision: str, file: str) -> Path:
    """Downloads a file of a hub repository and returns its path in the hub's cache. Raises ResourceError."""
    from huggingface_hub import hf_hub_download

    say(f"Downloading {file} of {repo} from the Hugging Face hub")
    try:
        return Path(hf_hub_download(repo, file, revision=revision))
    except Exception as error:  # the hub's HTTP client may raise anything
        raise no_hub(f"{repo}, {file}", error) from error


def no_hub(wanted: str, error: Exception) -> ResourceError:
    """Returns the error to raise when the hub does not provide what is wanted."""
    return ResourceError(
        f"{wanted}: {first_line(error)}; to work without the hub, set {MIRROR} to a folder with a copy"
    )


def first_line(error: Exception) -> str:
    """Returns the first line of an error's message, or its type if the message is empty."""
    return (str(error).splitlines() or [type(error).__name__])[0]

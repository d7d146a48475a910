"""Downloads: a file by http(s), a wheel by pip, a file from the Hugging Face hub."""

import subprocess
import sys
import time
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from textmill.console import progress, say
from textmill.errors import ArtifactError, ResourceError
from textmill.fetch.places import MIRROR

TRIES = 3
PAUSE = 1.0  # seconds before the second try; twice that before the third
TIMEOUT = (10, 60)  # seconds to wait for the connection, and for the next bytes
CHUNK = 1 << 20


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


def download_url(url: str, target: Path) -> None:
    """Downloads a whole file to `target`, in at most three tries.

    Raises ResourceError if the host does not send it, ArtifactError if the download ends too soon. Messages name only
    the host, because an address may contain a password.
    """
    import requests

    host = urlsplit(url).hostname
    say(f"Downloading {name_of(url)} from {host}")
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
    raise ResourceError(f"{host}: cannot download {name_of(url)} ({answer}); to use your own copy, set source: path")


def _receive(url: str, target: Path) -> None:
    import requests

    plain = {"Accept-Encoding": "identity"}  # the bytes as stored: the checksum was made of those
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


def download_wheel(package: str, folder: Path) -> Path:
    """Downloads a package's wheel into a folder with pip. Raises ResourceError if pip fails."""
    say(f"pip download {package}")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check"]
    command += ["--no-deps", "--only-binary", ":all:", "--dest", str(folder), package]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
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

"""Where a textmill comes from: a wheel, a checkout (from which a wheel is built), or a URL with a hash."""

import json
import re
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import distributions
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from textmill.errors import ArtifactError, ParamsError, ResourceError
from textmill.files import atomic
from textmill.pin import Pin, code_of, running, running_code

WHEELS = "wheels"  # a folder of the project
HASHED = re.compile(r"(https?://\S+\.whl#sha256=[0-9a-f]{64}|git\+\S+@[0-9a-f]{40}(#\S+)?)")
SAY = "use --textmill SOURCE: a wheel, a checkout, https://...whl#sha256=HEX, or git+https://...@COMMIT"


class Wheel(NamedTuple):
    """A wheel in a project."""

    name: str
    content: bytes


class Source(NamedTuple):
    """What a project is pinned to, and the wheel to put into it, if any."""

    pin: Pin
    wheel: Wheel | None

    def write_wheel(self, project: Path) -> None:
        """Writes the wheel, if there is one, to the path in the pin."""
        if self.wheel:
            with atomic(project / self.pin.source) as temporary:
                temporary.write_bytes(self.wheel.content)


def find(source: str | None) -> Source:
    """Returns the named source, or the running textmill's. Raises ParamsError if its code is not the running one's."""
    source = source or _running()
    if "://" in source and not source.startswith("file://"):
        if not HASHED.fullmatch(source):
            raise ParamsError(f"{source}: this URL has no hash, so what it holds can change; {SAY}")
        return Source(_pin(source), None)
    path = Path(unquote(urlsplit(source).path)) if source.startswith("file://") else Path(source)
    if path.is_dir():
        with TemporaryDirectory() as folder:
            return _of_wheel(_built(path, Path(folder)), path)
    return _of_wheel(path, path)


def _running() -> str:
    """Returns where pip or uv installed the running textmill from (PEP 610)."""
    found = (one.read_text("direct_url.json") for one in distributions(name="textmill"))  # a build leaves some without
    origin = json.loads(next(filter(None, found), "{}"))
    url = origin.get("url", "")
    if "vcs_info" in origin:
        return f"{origin['vcs_info']['vcs']}+{url}@{origin['vcs_info']['commit_id']}"
    if url.startswith("file://"):
        return url
    hashes = origin.get("archive_info", {}).get("hashes", {})
    if not url or "sha256" not in hashes:
        raise ParamsError(f"textmill cannot tell where it was installed from; {SAY}")
    return f"{url.partition('#')[0]}#sha256={hashes['sha256']}"


def _built(checkout: Path, folder: Path) -> Path:
    """Returns a wheel built from a copy. A build in the checkout would leave files there, and include old ones."""
    copy, ignored = folder / "source", shutil.ignore_patterns("__pycache__")
    try:
        shutil.copytree(checkout / "textmill", copy / "textmill", ignore=ignored)
        for name in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(checkout / name, copy)
    except FileNotFoundError as error:
        raise ArtifactError(f"{checkout}: not a checkout of textmill ({error.filename} is missing); {SAY}") from error
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--disable-pip-version-check"]
    done = subprocess.run([*build, "-w", folder, copy], capture_output=True, text=True, check=False)
    if done.returncode:
        raise ResourceError(f"{checkout}: cannot build a wheel from it: {done.stderr.strip().splitlines()[-1]}")
    return next(folder.glob("*.whl"))


def _of_wheel(path: Path, named: Path) -> Source:
    """Returns a wheel as a source. named: what the user named, which may be the checkout that it was built from."""
    try:
        content = path.read_bytes()
        with zipfile.ZipFile(path) as wheel:
            names = [name for name in wheel.namelist() if name.startswith("textmill/")]
            code = code_of((name.removeprefix("textmill/"), wheel.read(name)) for name in names)
    except FileNotFoundError as error:
        raise ArtifactError(f"{path}: no such file; {SAY}") from error
    except (OSError, zipfile.BadZipFile) as error:
        raise ArtifactError(f"{path}: not a wheel ({error}); {SAY}") from error
    if code != running_code():
        raise ParamsError(
            f"{named}: this is not the textmill that is running; install it first, or name the running one"
        )
    return Source(_pin(f"{WHEELS}/{path.name}"), Wheel(path.name, content))


def _pin(source: str) -> Pin:
    return running()._replace(source=source)

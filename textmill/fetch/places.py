"""Where fetched files are: the folder of downloads, kept by checksum, and the mirror, which replaces the hosts."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from textmill.console import say
from textmill.errors import ArtifactError
from textmill.files import atomic, sha256, sweep

MIRROR = "TEXTMILL_HUB_MIRROR"  # environment variable: a folder that replaces every host except the package index


class Fetched(NamedTuple):
    """A file whose checksum was checked. `name`, the original name, shows how it is packed; `path` may differ."""

    path: Path
    name: str
    sha256: str


@dataclass(frozen=True)
class Places:
    """The folder where downloads are kept between runs, and the mirror, if there is one."""

    downloads: Path
    mirror: Path | None

    @classmethod
    def of(cls, downloads: Path) -> "Places":
        """Returns the places, with the mirror that the environment names."""
        mirror = os.environ.get(MIRROR)
        return cls(downloads, Path(mirror) if mirror else None)

    def in_mirror(self, wanted: str, *names: str) -> Path:
        """Returns the mirror's copy of `wanted`. Never falls back to the network, so a wrong mirror is noticed."""
        assert self.mirror is not None
        path = self.mirror.joinpath(*names)
        if not path.exists():
            raise ArtifactError(f"{wanted}: not in the mirror at {path}; put it there, or unset {MIRROR}")
        say(f"{wanted}: using the mirror's copy, {path}")
        return path

    def keep(self, name: str, checksums: Sequence[str], receive: Callable[[Path], None], package: str = "") -> Fetched:
        """Returns the file with one of the checksums, downloaded earlier or now by `receive(path)`, which writes it.

        package: the package that contains the file, for messages.
        Raises ArtifactError if no checksum matches, and then keeps the file for inspection, with ".bad" appended.
        """
        called = f"{package}-{name}" if package else name
        sweep(self.downloads)  # what a killed download left may be large
        for checksum in checksums:
            kept = self.downloads / checksum
            if kept.is_file() and sha256(kept) == checksum:
                say(f"{called}: already downloaded, {kept}")
                return Fetched(kept, name, checksum)
        arrived = self.downloads / called
        with atomic(arrived) as temporary:
            receive(temporary)
        found = sha256(arrived)
        if found in checksums:
            return Fetched(arrived.replace(self.downloads / found), name, found)
        bad = arrived.replace(self.downloads / f"{called}.bad")
        raise ArtifactError(f"{mismatch(called, checksums, found)}; look at {bad}")


def mismatch(name: str | Path, checksums: Sequence[str], found: str) -> str:
    """Returns the message for a file whose checksum matches none of the expected ones."""
    return f"{name}: expected sha256 {' or '.join(checksums)}, found {found}"

"""Where files come to rest: downloads kept by their checksum, and the mirror that stands in for the hosts."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import Field

from textmill.config import Sha256
from textmill.console import say
from textmill.errors import ArtifactError
from textmill.files import atomic, sha256

MIRROR = "TEXTMILL_HUB_MIRROR"  # a folder that stands in for every host but the package index
Checksums = Annotated[list[Sha256], Field(min_length=1)]  # any of them is good: one file may be packed in several ways


class Fetched(NamedTuple):
    """A file that was checked. `name` is its own and tells how it is packed; `path` may end in another."""

    path: Path
    name: str
    sha256: str


@dataclass(frozen=True)
class Places:
    """The folder that downloads are kept in between runs, and the mirror, if there is one."""

    downloads: Path
    mirror: Path | None

    @classmethod
    def of(cls, downloads: Path) -> "Places":
        """With the mirror that the environment names."""
        mirror = os.environ.get(MIRROR)
        return cls(downloads, Path(mirror) if mirror else None)

    def in_mirror(self, wanted: str, *names: str) -> Path:
        """What stands in for `wanted`. There is no way back to the network: a wrong mirror must not go unseen."""
        path = self.mirror.joinpath(*names)
        if not path.exists():
            raise ArtifactError(f"{wanted}: the mirror has no {path}; put it there, or unset {MIRROR}")
        say(f"{wanted}: from the mirror, {path}")
        return path

    def keep(self, name: str, checksums: Sequence[str], receive: Callable[[Path], None]) -> Path:
        """The file with one of the checksums, which is its name: kept before, or written now by `receive(path)`.

        Raises ArtifactError on another checksum and keeps what came as NAME.bad, for a look.
        """
        for checksum in checksums:
            kept = self.downloads / checksum
            if kept.is_file() and sha256(kept) == checksum:
                say(f"{name}: already here, {kept}")
                return kept
        arrived = self.downloads / name
        with atomic(arrived) as temporary:
            receive(temporary)
        found = sha256(arrived)
        if found in checksums:
            return arrived.replace(self.downloads / found)
        bad = arrived.replace(self.downloads / f"{name}.bad")
        raise ArtifactError(f"{mismatch(name, checksums, found)}; look at {bad}")


def mismatch(name: str | Path, checksums: Sequence[str], found: str) -> str:
    """The words for a file with another checksum than one of those expected."""
    return f"{name}: expected sha256 {' or '.join(checksums)}, found {found}"

"""Where files come to rest: downloads kept by their checksum, and the mirror that stands in for the hosts."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from textmill.console import say
from textmill.errors import ArtifactError
from textmill.files import atomic, sha256

MIRROR = "TEXTMILL_HUB_MIRROR"  # a folder that stands in for every host but the package index


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
        assert self.mirror is not None
        path = self.mirror.joinpath(*names)
        if not path.exists():
            raise ArtifactError(f"{wanted}: the mirror has no {path}; put it there, or unset {MIRROR}")
        say(f"{wanted}: from the mirror, {path}")
        return path

    def keep(self, name: str, checksums: Sequence[str], receive: Callable[[Path], None], package: str = "") -> Fetched:
        """The file with one of the checksums: kept before under that name, or written now by `receive(path)`.

        package: the one that the file comes in, for messages.
        Raises ArtifactError on another checksum and keeps what came, with ".bad" behind its name, for a look.
        """
        called = f"{package}-{name}" if package else name
        for checksum in checksums:
            kept = self.downloads / checksum
            if kept.is_file() and sha256(kept) == checksum:
                say(f"{called}: already here, {kept}")
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
    """The words for a file with another checksum than one of those expected."""
    return f"{name}: expected sha256 {' or '.join(checksums)}, found {found}"

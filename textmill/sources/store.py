"""Where files come to rest: downloads kept by their checksum, and the local mirror."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from textmill.console import say
from textmill.errors import ArtifactError
from textmill.files import atomic, sha256

MIRROR = "TEXTMILL_HUB_MIRROR"  # a folder that stands in for every host


@dataclass(frozen=True)
class Places:
    """The folders a source works with."""

    raw: Path  # where it puts what `clean` reads
    downloads: Path  # kept between runs: DVC deletes outputs before a stage runs
    inputs: Path  # the user's files; DVC watches them
    mirror: Path | None

    def in_mirror(self, wanted: str, *names: str) -> Path:
        """What stands in for `wanted`. There is no way back to the network: a wrong mirror must not go unseen."""
        path = self.mirror.joinpath(*names)
        if not path.exists():
            raise ArtifactError(f"{wanted}: the mirror has no {path}; put it there, or unset {MIRROR}")
        say(f"{wanted}: from the mirror, {path}")
        return path


def keep(name: str, checksums: list[str], downloads: Path, receive: Callable[[Path], None]) -> Path:
    """The file with one of the checksums: the one kept in `downloads`, or the one that `receive(path)` writes.

    Raises ArtifactError on another checksum and keeps what came as NAME.bad, for a look.
    """
    for checksum in checksums:
        kept = downloads / checksum
        if kept.is_file() and sha256(kept) == checksum:
            say(f"{name}: already here, {kept}")
            return kept
    arrived = downloads / name
    with atomic(arrived) as temporary:
        receive(temporary)
    found = sha256(arrived)
    if found in checksums:
        return arrived.replace(downloads / found)
    bad = arrived.replace(downloads / f"{name}.bad")
    raise ArtifactError(f"{name}: expected sha256 {' or '.join(checksums)}, found {found}; look at {bad}")

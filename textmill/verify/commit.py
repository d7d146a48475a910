"""What a commit holds, without checking it out: one process of git, whatever the number of files."""

import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from textmill.errors import ArtifactError, ParamsError, ResourceError


class Commit(NamedTuple):
    """A revision as it was asked for, and its hash."""

    asked: str
    hash: str

    @property
    def short(self) -> str:
        """Enough of the hash for people."""
        return self.hash[:7]

    @property
    def named(self) -> str:
        """Such as `HEAD (0123abc)`."""
        return self.short if self.hash.startswith(self.asked) else f"{self.asked} ({self.short})"


def find(revision: str, folder: Path) -> Commit:
    """The commit that a revision names: a branch, a tag, a hash.

    Raises ParamsError if there is none, ArtifactError where the folder is in no repository, ResourceError without git.
    """
    found = _git(["rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"], folder)
    if found.returncode == 0:
        return Commit(revision, found.stdout.decode().strip())
    if told := found.stderr.decode(errors="replace").strip():  # of a revision that is none, git says nothing
        reason = told.splitlines()[0].removeprefix("fatal: ")
        raise ArtifactError(
            f"{folder.resolve()}: git: {reason}; `git init` and a commit make what verify compares with"
        )
    if revision == "HEAD":
        raise ArtifactError("HEAD: no commit yet; commit dvc.lock and metrics first")
    raise ParamsError(f"{revision!r}: no such revision; expected a branch, a tag or a commit of this repository")


def contents(commit: Commit, paths: Iterable[Path], folder: Path) -> dict[Path, bytes]:
    """Those of the files, named from the folder, that the commit has."""
    asked = list(dict.fromkeys(path for path in paths if "\n" not in str(path)))
    lines = "".join(f"{commit.hash}:./{path.as_posix()}\n" for path in asked)
    done = _git(["cat-file", "--batch"], folder, lines.encode())
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise ArtifactError(f"{commit.named}: git cannot read it ({''.join(reason)}); `git fsck` tells more")
    told = done.stdout
    found, at = {}, 0
    for path in asked:
        end = told.index(b"\n", at)
        kind, _, size = told[at:end].rpartition(b" ")
        at = end + 1
        if size.isdigit():  # else `... missing`
            if kind.endswith(b" blob"):
                found[path] = told[at : at + int(size)]
            at += int(size) + 1
    return found


def date(commit: Commit, folder: Path) -> str:
    """When it was made, with its time zone."""
    return _git(["show", "--no-patch", "--format=%ci", commit.hash], folder).stdout.decode().strip()


def changed(folder: Path) -> list[str]:
    """The files of this folder that git knows and that are not as HEAD has them, named from the folder.

    What people write stands before what stages write.
    """
    words = ["diff", "--name-only", "--relative", "-z", "HEAD"]
    paths = [path.decode(errors="replace") for path in _git(words, folder).stdout.split(b"\0") if path]
    return sorted(paths, key=lambda path: (path == "dvc.lock" or path.startswith(("digests/", "metrics/")), path))


def _git(words: list[str], folder: Path, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(["git", *words], cwd=folder, input=given, capture_output=True, check=False)
    except FileNotFoundError as error:
        raise ResourceError("git: not found; install it, or put it on PATH") from error

"""The content of a commit, without checking it out: one git process for any number of files."""

import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from textmill.errors import ArtifactError, ParamsError, ResourceError


class Commit(NamedTuple):
    """A revision as the user named it, and its hash."""

    asked: str
    hash: str

    @property
    def short(self) -> str:
        """The start of the hash, for people."""
        return self.hash[:7]

    @property
    def named(self) -> str:
        """A name such as `HEAD (0123abc)`."""
        return self.short if self.hash.startswith(self.asked) else f"{self.asked} ({self.short})"


def find(revision: str, folder: Path) -> Commit:
    """Returns the commit of a revision: a branch, a tag or a hash.

    Raises ParamsError if it does not exist, ArtifactError if the folder is not in a repository, ResourceError without
    git.
    """
    found = _git(["rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"], folder)
    if found.returncode == 0:
        return Commit(revision, found.stdout.decode().strip())
    if output := found.stderr.decode(errors="replace").strip():  # about an unknown revision git prints nothing
        reason = output.splitlines()[0].removeprefix("fatal: ")
        raise ArtifactError(
            f"{folder.resolve()}: git: {reason}; run `git init` and commit results, which verify compares with"
        )
    if revision == "HEAD":
        raise ArtifactError("HEAD: no commit yet; commit dvc.lock and metrics first")
    raise ParamsError(f"{revision!r}: no such revision; expected a branch, a tag or a commit of this repository")


def contents(commit: Commit, paths: Iterable[Path], folder: Path) -> dict[Path, bytes]:
    """Returns the files, by their paths from the folder, that are in the commit."""
    asked = list(dict.fromkeys(path for path in paths if "\n" not in str(path)))
    lines = "".join(f"{commit.hash}:./{path.as_posix()}\n" for path in asked)
    done = _git(["cat-file", "--batch"], folder, lines.encode())
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise ArtifactError(f"{commit.named}: git cannot read it ({''.join(reason)}); see `git fsck`")
    output = done.stdout
    found, at = {}, 0
    for path in asked:
        end = output.index(b"\n", at)
        kind, _, size = output[at:end].rpartition(b" ")
        at = end + 1
        if size.isdigit():  # otherwise `... missing`
            if kind.endswith(b" blob"):
                found[path] = output[at : at + int(size)]
            at += int(size) + 1
    return found


def date(commit: Commit, folder: Path) -> str:
    """Returns the date of a commit, with its time zone."""
    return _git(["show", "--no-patch", "--format=%ci", commit.hash], folder).stdout.decode().strip()


def changed(folder: Path) -> list[str]:
    """Returns the tracked files of this folder that differ from HEAD, by their paths from the folder.

    Files that people write come before those that stages write.
    """
    words = ["diff", "--name-only", "--relative", "-z", "HEAD"]
    paths = [path.decode(errors="replace") for path in _git(words, folder).stdout.split(b"\0") if path]
    return sorted(paths, key=lambda path: (path == "dvc.lock" or path.startswith(("digests/", "metrics/")), path))


def _git(words: list[str], folder: Path, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(["git", *words], cwd=folder, input=given, capture_output=True, check=False)
    except FileNotFoundError as error:
        raise ResourceError("git: not found; install it, or put it on PATH") from error

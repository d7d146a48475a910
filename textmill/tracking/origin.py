"""The commit that results come from, and whether the folder had other params or code."""

from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from textmill.errors import TextmillError
from textmill.lockfile import LOCK
from textmill.tracking.names import DIRTY
from textmill.verify.commit import Commit, changed, date, find

WRITTEN = (str(LOCK), "metrics/", "digests/")  # by `dvc repro` itself: a change there does not make a folder dirty

CHANGED = ", with changes"


class Origin(NamedTuple):
    """commit: its hash, or ''. made: the commit's date in seconds since 1970; None without a commit."""

    commit: str = ""
    dirty: bool = False
    made: float | None = None

    @property
    def final(self) -> bool:
        """Whether a commit has exactly this."""
        return bool(self.commit) and not self.dirty

    @property
    def named(self) -> str:
        """Such as `commit 0123abc, with changes`; '' without a commit."""
        return f"commit {self.commit[:7]}{CHANGED if self.dirty else ''}" if self.commit else ""

    @property
    def tags(self) -> dict[str, str]:
        """The tags by which MLflow's pages know a commit."""
        dirty = "yes" if self.dirty else "no"
        return {"mlflow.source.git.commit": self.commit, DIRTY: dirty} if self.commit else {}


def of_commit(commit: Commit, folder: Path) -> Origin:
    """Returns the origin of results that are in a commit."""
    return Origin(commit.hash, False, datetime.strptime(date(commit, folder), "%Y-%m-%d %H:%M:%S %z").timestamp())


def here(folder: Path) -> Origin:
    """Returns the origin of what is checked out."""
    try:
        head = find("HEAD", folder)
    except TextmillError:
        return Origin()  # no git, no repository or no commit yet
    return of_commit(head, folder)._replace(dirty=any(not path.startswith(WRITTEN) for path in changed(folder)))

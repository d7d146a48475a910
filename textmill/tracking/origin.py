"""Where results come from: a commit, when it was made, and whether the folder had other params or code."""

import subprocess
from pathlib import Path
from typing import NamedTuple


class Origin(NamedTuple):
    """commit: '' where there is none. made: in seconds since 1970; None without a commit."""

    commit: str = ""
    dirty: bool = False
    made: float | None = None

    @property
    def told(self) -> str:
        """Such as `commit 0123abc, with changes`; '' without one."""
        return f"commit {self.commit[:7]}{', with changes' if self.dirty else ''}" if self.commit else ""

    @property
    def tags(self) -> dict[str, str]:
        """As MLflow's pages know a commit."""
        dirty = "yes" if self.dirty else "no"
        return {"mlflow.source.git.commit": self.commit, "git.dirty": dirty} if self.commit else {}


def of_commit(commit: str, folder: Path) -> Origin:
    """A commit's own."""
    return Origin(commit, False, float(_git(folder, "show", "-s", "--format=%ct", commit) or 0))


def here(folder: Path) -> Origin:
    """What is checked out. What `dvc repro` itself has just written does not make it dirty."""
    commit = _git(folder, "rev-parse", "HEAD")
    if not commit:
        return Origin()
    own = ":!dvc.lock", ":!metrics", ":!digests"
    changed = _git(folder, "status", "--porcelain", "--untracked-files=no", "--", ".", *own)
    return of_commit(commit, folder)._replace(dirty=bool(changed))


def _git(folder: Path, *words: str) -> str:
    try:
        done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""  # no git, no repository, no commit yet
    return done.stdout.strip()

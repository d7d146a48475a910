"""A commit's results without a checkout: links into DVC's cache, and the small files that git itself holds."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from textmill.errors import ArtifactError
from textmill.lockfile import LOCK, entries
from textmill.records.comparison import Comparison
from textmill.records.fit import Fit
from textmill.timings import Timing
from textmill.tracking.origin import of_commit
from textmill.tracking.outputs import Snapshot, snapshot, stage
from textmill.verify.cache import cache_of
from textmill.verify.commit import Commit, contents

READ = ("train", "evaluate", "compare")  # the stages whose outputs are recorded

NOWHERE = "not in DVC's cache; `dvc fetch --all-commits` may bring it"


def with_results(folder: Path) -> list[Commit]:
    """The commits that changed dvc.lock, oldest first; those that HEAD holds come after those of other branches."""
    where = ["--full-history", "--reverse", "--date-order", "--format=%H", "--", str(LOCK)]
    own = _lines(folder, ["HEAD", *where])
    others = _lines(folder, ["--branches", "--tags", "--remotes", "--not", "HEAD", *where])
    return [Commit(one[:7], one) for one in dict.fromkeys([*others, *own])]


@contextmanager
def laid_out(commit: Commit, folder: Path) -> Iterator[Snapshot]:
    """What `track` reads of a commit, as if it were checked out, for the block.

    Raises ArtifactError where the commit, or DVC's cache of it, lacks something; what the cache has is not looked at.
    """
    held = contents(commit, [LOCK], folder).get(LOCK)
    if held is None:
        raise ArtifactError(f"{commit.named}: no dvc.lock in it; name a commit with results, or commit dvc.lock")
    with TemporaryDirectory(prefix="textmill-track-") as temporary:
        root = Path(temporary)
        (root / LOCK).write_bytes(held)
        lines = entries(held.decode(errors="replace"))
        outs = {
            str(out["path"]): out
            for name, entry in lines.items()
            if name.partition("@")[0] in READ
            for out in stage(entry).get("outs") or []
        }
        compared = _one(outs, Comparison.FILE, commit)
        measured = _one(outs, Fit.FILE, commit).parent.parent
        cache = cache_of(folder)
        absent = {Path(path) for path, out in outs.items() if not _link(cache, str(out.get("md5")), root / path)}
        timings = {Path(path).with_name(Timing.FILE) for path in outs if path.endswith(f"/{Fit.FILE}")}
        parts = {path for path in absent if (root / path).exists()}  # folders that lack a file
        for path, text in contents(commit, sorted({*absent, *timings} - parts), folder).items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(text)
        try:
            if not (root / compared).exists():
                raise ArtifactError(f"{compared}: {NOWHERE}")
            found = snapshot(root / LOCK, root / compared, root / measured, of_commit(commit.hash, folder))
            for out in (out for result in found.results.values() for out in (result.bundle, *result.outs.values())):
                if not out.path.exists() or out.path.relative_to(root) in parts:
                    raise ArtifactError(f"{out.path}: {NOWHERE}")
            yield found
        except ArtifactError as error:
            again = str(error).replace(f"{root}/", "").replace(str(root), ".")
            raise ArtifactError(again.partition("; run `dvc")[0]) from error


def _one(outs: Mapping[str, Any], file: str, commit: Commit) -> Path:
    found = [path for path in outs if PurePosixPath(path).name == file]
    if not found:
        raise ArtifactError(f"{commit.named}: its dvc.lock names no {file}: results of another version")
    return Path(found[0])


def _link(cache: Path, md5: str, target: Path) -> bool:
    """Let a file or a folder of the cache stand under its own name; whether all of it is there."""
    held = cache / md5[:2] / md5[2:]
    if not held.is_file():
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    if not md5.endswith(".dir"):
        target.symlink_to(held)
        return True
    files = json.loads(held.read_bytes())
    linked = [_link(cache, one["md5"], target / one["relpath"]) for one in files]
    return all(linked)


def _lines(folder: Path, words: list[str]) -> list[str]:
    done = subprocess.run(["git", "log", *words], cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout.split()

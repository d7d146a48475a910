"""A commit's results without a checkout: links into DVC's cache, and the small files that git itself holds."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from textmill.errors import ArtifactError
from textmill.files import scratch
from textmill.lockfile import LOCK, entries
from textmill.records.comparison import Comparison
from textmill.records.fit import Fit
from textmill.timings import Timing
from textmill.tracking.origin import of_commit
from textmill.tracking.snapshot import Snapshot, read_snapshot, stage
from textmill.verify.cache import cache_of, cached_file
from textmill.verify.commit import Commit, contents

RECORDED = ("train", "evaluate", "compare")  # the stages whose outputs are recorded
# Not `dvc fetch --all-commits`, which brings the newest version of each path only (DVC 3.67, its issue 10617).
NOWHERE = "not in DVC's cache; check this commit out and run `dvc fetch`, which may bring it"


def with_results(folder: Path) -> list[Commit]:
    """Returns the commits that changed dvc.lock, oldest first; those of HEAD's history come last."""
    own, others = ["HEAD"], ["--branches", "--tags", "--remotes", "--not", "HEAD"]
    words = ["--full-history", "--reverse", "--date-order", "--format=%H", "--", str(LOCK)]
    hashes: list[str] = []
    for which in (others, own):
        command = ["git", "log", *which, *words]
        hashes += subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False).stdout.split()
    return [Commit(one[:7], one) for one in dict.fromkeys(hashes)]


@contextmanager
def laid_out(commit: Commit, folder: Path) -> Iterator[Snapshot]:
    """Yields the commit's results, in a temporary folder for the block.

    Raises ArtifactError if the commit or DVC's cache lacks something. Does not check the contents of the cache.
    """
    with scratch() as temporary:
        try:
            yield _lay_out(commit, folder, temporary)
        except ArtifactError as error:
            message = str(error).replace(f"{temporary}/", "").replace(str(temporary), ".").partition("; run `dvc")[0]
            raise ArtifactError(message) from error


def _lay_out(commit: Commit, folder: Path, root: Path) -> Snapshot:
    lock = contents(commit, [LOCK], folder).get(LOCK)
    if lock is None:
        raise ArtifactError(f"{commit.named}: no dvc.lock in it; name a commit with results, or commit dvc.lock")
    (root / LOCK).write_bytes(lock)
    outs = {
        Path(out["path"]): str(out.get("md5"))
        for name, entry in entries(lock.decode(errors="replace")).items()
        if name.partition("@")[0] in RECORDED
        for out in stage(entry).get("outs") or []
    }
    paths: dict[str, Path] = {path.name: path for path in outs}
    for file in (Comparison.FILE, Fit.FILE):
        if file not in paths:
            raise ArtifactError(f"{commit.named}: its dvc.lock names no {file}: results of another version")
    cache = cache_of(folder)
    absent = {path for path, md5 in outs.items() if not _link(cache, md5, root / path)}
    incomplete = {path for path in absent if (root / path).exists()}  # folders that lack a file
    timings = {path.with_name(Timing.FILE) for path in outs if path.name == Fit.FILE}
    for path, content in contents(commit, sorted({*absent, *timings} - incomplete), folder).items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    compared, measured = root / paths[Comparison.FILE], root / paths[Fit.FILE].parent.parent
    if not compared.exists():
        raise ArtifactError(f"{compared}: {NOWHERE}")
    found = read_snapshot(root / LOCK, compared, measured, of_commit(commit, folder))
    for out in (out for result in found.results.values() for out in (result.bundle, *result.outs.values())):
        if not out.path.exists() or out.path.relative_to(root) in incomplete:
            raise ArtifactError(f"{out.path}: {NOWHERE}")
    return found


def _link(cache: Path, md5: str, target: Path) -> bool:
    """Links a file or folder of the cache to its own name; returns whether all of it is there."""
    source = cached_file(cache, md5)
    if not source:
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    if not md5.endswith(".dir"):
        target.symlink_to(source)
        return True
    linked = [_link(cache, one["md5"], target / one["relpath"]) for one in json.loads(source.read_bytes())]
    return all(linked)

"""Folders of runs and models that the store no longer has: their database was deleted, or a removal was killed."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from textmill.tracking.artifacts import LIST, local
from textmill.tracking.sqlite import connected, place

MAGIC = b"SQLite format 3\0"  # how every sqlite file begins
KNOWN = """
SELECT run_uuid FROM runs
UNION ALL SELECT model_id FROM logged_models WHERE source_run_id IS NULL OR source_run_id IN (SELECT run_uuid FROM runs)
"""


def sweep(file: Path, dataset: str) -> None:
    """Deletes the folders that Textmill wrote for a dataset, and whose run the store does not have, deleted or not.

    Does nothing if the runs could be in another database: there is one next to `file`, or a link leads elsewhere.
    """
    root = local(place(file, dataset))
    if not root or root != root.resolve() or any(_other(one, file) for one in file.parent.iterdir()):
        return
    found = [*_written(root)]
    with connected(file) as connection:  # after the folders are listed: a run has a row before it has a folder
        known = {name for (name,) in connection.execute(KNOWN)}
    for folder in found:
        if folder.name not in known:
            shutil.rmtree(folder, ignore_errors=True)


def _written(root: Path) -> Iterator[Path]:
    """Yields the folders of runs and models that have what only Textmill puts there."""
    for kind, inside in ((root, LIST), (root / "models", "code/textmill")):
        for folder in sorted(kind.glob("*")):
            named = re.fullmatch(r"(m-)?[0-9a-f]{32}", folder.name) and not folder.is_symlink()
            if named and (folder / "artifacts" / inside).exists():
                yield folder


def _other(path: Path, file: Path) -> bool:
    """Returns whether a file is or was another database."""
    if not path.is_file() or path.name in {file.name + end for end in ("", ".lock", "-journal", "-wal", "-shm")}:
        return False
    try:
        with open(path, "rb") as opened:
            return path.name.startswith(file.name) or opened.read(len(MAGIC)) == MAGIC
    except OSError:
        return True

"""dvc.lock, cut at each 1/16: plain DVC may refuse it, `textmill repro` puts the last good one back."""

import random
from collections.abc import Callable, Iterator
from functools import partial

from faults.project import Project
from faults.runs import COMMANDS, finish
from textmill.lastgood import KEPT
from textmill.lockfile import LOCK

PARTS = [(part, first) for part in range(16) for first in (False, True)]


def cases(project: Project, count: int | None, chance: random.Random) -> Iterator[tuple[str, str, Callable[[], str]]]:
    """Yields seeded cases: a fault, what it meets, and a function that returns what is wrong. count: None for all."""
    for part, first in PARTS if count is None else chance.sample(PARTS, count):
        what = f"at {part}/16, {'dvc repro, then ' if first else ''}textmill repro"
        yield "dvc.lock is cut", what, partial(check, project, part, first)


def check(project: Project, part: int, first: bool) -> str:
    """Cuts dvc.lock and runs all again, if `first` by plain DVC; returns what is wrong, or ''."""
    (project.folder / KEPT).write_bytes(project.lock)
    (project.folder / LOCK).write_bytes(project.lock[: len(project.lock) * part // 16])
    if first:
        finish(project, COMMANDS["dvc repro"])
    code, told = finish(project, COMMANDS["textmill repro"])
    differing = project.differing()
    return f"{code}, {differing}: {told[-600:]}" if code or differing else ""

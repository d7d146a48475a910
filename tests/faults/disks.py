"""A file system that is full: a tmpfs in place of a folder that holds outputs. Every writer meets it, libraries too."""

import random
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from faults.forks import ended_wrong, finish, run
from faults.project import TRACK, Project

FREE = [0, 1, 4, 16]  # kB; a page has 4
PAGE = 4096


def absent(folder: Path) -> str:
    """Returns why no file system can be mounted here, or ''. folder: where it is tried."""
    folder.mkdir(exist_ok=True)
    try:
        with mounted(folder, PAGE):
            return ""
    except (OSError, subprocess.CalledProcessError):
        return "no right to mount; try `unshare -rm make test-faults`"


def cases(project: Project, count: int | None, chance: random.Random) -> Iterator[tuple[str, str, Callable[[], str]]]:
    """Yields seeded cases: a fault, what it meets, and a function that returns what is wrong. count: None for all."""
    every = [
        (stage, place, free)
        for stage in project.stages
        for place in sorted({out.parent for out in project.outs[stage]} - {project.folder})
        for free in FREE
    ]
    for stage, place, free in every if count is None else chance.sample(every, min(count, len(every))):
        what = f"{stage}: {project.name(place)} with {free} kB"
        yield "a full file system", what, partial(check, project, stage, place, free)


def check(project: Project, stage: str, place: Path, free: int) -> str:
    """Runs a stage with a full file system at `place`; returns what is wrong, or ''."""
    project.clear(stage)
    with full(place, free * 1024):
        ended = run(project, stage)
        wrong = ended_wrong(project, stage, ended) or ", ".join(map(project.name, project.leftovers()))
        if not wrong and ended.code and (ended.code != 5 or project.name(place) not in ended.told):
            wrong = f"exit code {ended.code}, or no path: {ended.told}"
    return wrong or (finish(project, stage) if stage == TRACK else "")


@contextmanager
def full(place: Path, free: int) -> Iterator[None]:
    """Covers a folder with a file system that has its files and `free` bytes more."""
    before = place.with_name(f"{place.name}.before")
    shutil.copytree(place, before)
    try:
        with mounted(place, 1 << 30):
            shutil.copytree(before, place, dirs_exist_ok=True)
            used = sum(-(-file.stat().st_size // PAGE) for file in place.rglob("*") if file.is_file()) * PAGE
            rest = -(-(used + free) // PAGE) * PAGE
            subprocess.run(["mount", "-o", f"remount,size={max(rest, PAGE)}", place], check=True, capture_output=True)
            yield
    finally:
        shutil.rmtree(before)


@contextmanager
def mounted(place: Path, size: int) -> Iterator[None]:
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", place], check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", place], check=True, capture_output=True)

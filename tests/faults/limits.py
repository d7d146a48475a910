"""Limits of the process: how large a file may be, and how much memory it may map."""

import random
import resource
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from test_pipeline import ENV

from faults.forks import PATIENCE, Ended, judge, run
from faults.project import Project

MEGABYTE = 1 << 20
SIZES = [2**power for power in range(6, 15)]  # bytes
ROOMS = [2, 4, 8, 16, 32, 64, 128, 256]  # MB that a stage may map after its imports
WHOLE = [100, 200, 400, 600, 1000, 1500, 2500, 5000]  # MB that a stage may map, its imports included


def cases(project: Project, count: int | None, chance: random.Random) -> Iterator[tuple[str, str, Callable[[], str]]]:
    """Yields seeded cases: a fault, what it meets, and a function that returns what is wrong. count: None for all."""
    every = [
        *((stage, "a file may not grow", size, small_files) for stage in project.stages for size in SIZES),
        *((stage, "memory of a stage", room, little_memory) for stage in project.stages for room in ROOMS),
        *((stage, "memory of a start", room, little_at_start) for stage in project.stages for room in WHOLE),
    ]
    for stage, fault, limit, check in every if count is None else chance.sample(every, count):
        yield fault, f"{stage}: {limit}", partial(check, project, stage, limit)


def small_files(project: Project, stage: str, size: int) -> str:
    """Runs a stage whose files may have `size` bytes; returns what is wrong, or ''."""

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return judge(project, stage, run(project, stage, limit))


def little_memory(project: Project, stage: str, room: int) -> str:
    """Runs a stage that may map `room` MB after its imports; returns what is wrong, or ''."""

    def limit() -> None:
        mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        _limit_memory(mapped + room * MEGABYTE)

    return _of_memory(project, stage, run(project, stage, limit))


def little_at_start(project: Project, stage: str, whole: int) -> str:
    """Starts a stage that may map `whole` MB, its imports included; returns what is wrong, or ''."""
    project.clear(stage)
    done = subprocess.run(
        [sys.executable, *shlex.split(project.commands[stage])[1:]],
        cwd=project.folder,
        env=ENV | {"DVC_STAGE": stage},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        preexec_fn=lambda: _limit_memory(whole * MEGABYTE),
    )
    return _of_memory(project, stage, Ended(done.returncode, done.stderr))


def _of_memory(project: Project, stage: str, ended: Ended) -> str:
    """Returns what is wrong, or ''. Only success and exit code 5 are right; a library that aborts has its own lines."""
    wrong = judge(project, stage, ended, before_it=True)
    return wrong or ("" if ended.code in (0, 5) else f"exit code {ended.code}: {ended.told.strip()[-600:]}")


def _limit_memory(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (size, size))

"""Kills of a stage at seeded moments: of its start, its imports and its work."""

import random
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial

from test_pipeline import ENV

from faults.forks import PATIENCE
from faults.project import Project

MOMENTS = 20  # of each stage


def cases(project: Project, count: int | None, chance: random.Random) -> Iterator[tuple[str, str, Callable[[], str]]]:
    """Yields seeded cases: a fault, what it meets, and a function that returns what is wrong. count: None for all."""
    stages = project.stages * MOMENTS if count is None else chance.choices(project.stages, k=count)
    seconds: dict[str, float] = {}
    for stage in stages:
        if stage not in seconds:
            seconds[stage] = again(project, stage)
        moment = seconds[stage] * chance.random()
        yield (
            "killed at a moment",
            f"{stage}: after {moment:.2f} s",
            partial(check, project, stage, moment),
        )


def check(project: Project, stage: str, seconds: float) -> str:
    """Starts a stage as DVC does, kills it after some seconds and starts it again; returns what is wrong, or ''."""
    project.clear(stage)
    process = start(project, stage)
    time.sleep(seconds)
    process.kill()
    process.communicate()
    if partly := project.partial(stage):
        return f"partial: {partly}"
    again(project, stage)
    wrong = [*project.partial(stage), *project.missing(stage)]
    return f"other bytes after the next run: {wrong}" if wrong else ""


def start(project: Project, stage: str) -> subprocess.Popen:
    command = [sys.executable, *shlex.split(project.commands[stage])[1:]]
    return subprocess.Popen(
        command, cwd=project.folder, env=ENV | {"DVC_STAGE": stage}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )


def again(project: Project, stage: str) -> float:
    """Runs a stage to its end. Returns seconds."""
    began, process = time.monotonic(), start(project, stage)
    _, told = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, (stage, told.decode())
    return time.monotonic() - began

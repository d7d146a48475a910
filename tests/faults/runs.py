"""Kills of a whole run, of `textmill repro` or `dvc repro`, at seeded moments: of all processes, or of DVC alone."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial

import psutil
from conftest import HANGS
from test_pipeline import ENV

from faults.project import Project

COMMANDS = {"textmill repro": [sys.executable, "-m", "textmill", "repro"], "dvc repro": ["dvc", "repro"]}
LONGEST = 20.0  # seconds after which a run is killed at the latest
CLEARED = 3  # stages whose outputs a run has to make again
ALL = 40  # kills


def cases(project: Project, count: int | None, chance: random.Random) -> Iterator[tuple[str, str, Callable[[], str]]]:
    """Yields seeded cases: a fault, what it meets, and a function that returns what is wrong. count: None for all."""
    for _ in range(ALL if count is None else count):
        command, victim = chance.choice(list(COMMANDS)), chance.choice(["all", "first"])
        stages, seconds = chance.sample(project.stages, CLEARED), LONGEST * chance.random() ** 2
        what = f"{command}, {victim} after {seconds:.1f} s, with {', '.join(stages)} to run"
        yield "a run is killed", what, partial(check, project, command, victim, stages, seconds)


def check(project: Project, command: str, victim: str, stages: list[str], seconds: float) -> str:
    """Kills a run that has some stages to run, then runs it again; returns what is wrong, or ''.

    victim: all processes of the run, or only the first, DVC's, whose children must then end.
    """
    to_run(project, stages)
    process = start(project, COMMANDS[command])
    time.sleep(seconds)
    children = _children(process.pid)
    os.killpg(process.pid, signal.SIGKILL) if victim == "all" else process.kill()
    process.wait()
    _, alive = psutil.wait_procs(children, timeout=HANGS)
    if alive:
        return f"{alive} still run"
    partly = [name for stage in project.stages for name in project.partial(stage)]
    if partly:
        return f"partial: {partly}"
    code, told = finish(project, COMMANDS[command])
    if code and command == "dvc repro":  # which refuses a dvc.lock or rwlock that it left cut short
        code, told = finish(project, COMMANDS["textmill repro"])
    differing = project.differing()
    return f"the next run: {code}, {differing}: {told[-600:]}" if code or differing else ""


def to_run(project: Project, stages: list[str]) -> None:
    """Deletes the outputs of stages, and what DVC would restore them from."""
    for stage in stages:
        project.clear(stage)
    shutil.rmtree(project.folder / ".dvc/cache/runs", ignore_errors=True)


def start(project: Project, command: list[str]) -> subprocess.Popen:
    """Starts a run in its own process group. It prints into a file, because a pipe outlives its reader."""
    with open(project.copy.with_name("run.log"), "wb") as log:
        return subprocess.Popen(
            command,
            cwd=project.folder,
            env=ENV,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def finish(project: Project, command: list[str]) -> tuple[int, str]:
    """Runs a command to its end. Returns its exit code and what it printed."""
    options = {"cwd": project.folder, "env": ENV, "capture_output": True, "text": True, "timeout": HANGS}
    done = subprocess.run(command, stdin=subprocess.DEVNULL, **options)
    return done.returncode, done.stdout + done.stderr


def _children(pid: int) -> list[psutil.Process]:
    with suppress(psutil.Error):
        return psutil.Process(pid).children(recursive=True)
    return []

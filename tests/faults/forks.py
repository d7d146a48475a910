"""Runs a stage in a fork of this process, which has imported what stages import, so that a case takes a moment."""

import importlib
import os
import shlex
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from faults.project import TRACK, Project
from textmill.tracking.store import SETTINGS

PATIENCE = 60  # seconds for a stage
CODES = {2, 3, 4, 5, 6, 75}  # with one line on stderr
# What takes long to import. None of it starts a thread that a fork would miss.
LIBRARIES = (
    "torch",
    "sklearn.linear_model",
    "scipy.sparse",
    "pyarrow.parquet",
    "mlflow",
    "matplotlib.pyplot",
    "pandas",
)


class Ended(NamedTuple):
    """How a stage ended. code: negative for a signal."""

    code: int
    told: str  # on stderr


def warm() -> None:
    """Imports what the stages import, but not the stages: one of them lets polars start threads."""
    os.environ.update(SETTINGS)  # MLflow reads them when it is imported
    for name in LIBRARIES:
        importlib.import_module(name)
    if polars := [thread for thread in Path("/proc/self/task").iterdir() if _name(thread).startswith("polars-0")]:
        raise RuntimeError(f"polars has threads, which a fork would lack: {polars}")


def _name(thread: Path) -> str:
    return (thread / "comm").read_text()


def run(
    project: Project,
    stage: str,
    before: Callable[[], None] = lambda: None,
    tracer: Callable[[int], list[str]] | None = None,
) -> Ended:
    """Runs a stage without its outputs, watched unless it is traced.

    before: called after its imports; tracer: returns the command that traces a process, which gets `-p PID`.
    """
    told, writes = os.pipe()  # not a file, whose size may be limited
    project.clear(stage)
    if not (pid := os.fork()):
        os.close(told)
        _in_fork(project.folder, stage, project.commands[stage], before, writes, tracer is not None)
    os.close(writes)
    if tracer:
        os.waitpid(pid, os.WUNTRACED)  # it stops before it begins
        traced = subprocess.Popen([*tracer(pid), "-p", str(pid)], stderr=subprocess.DEVNULL)
        while not _traced(pid):
            time.sleep(0.005)
        os.kill(pid, signal.SIGCONT)
    with open(told, errors="replace") as said:
        text = said.read()
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if tracer:
        traced.wait()
    return Ended(code, text)


def judge(project: Project, stage: str, ended: Ended, before_it: bool = False) -> str:
    """Returns what is wrong after a stage met an error and then ran again if it left files, or is `track`; or ''."""
    wrong = ended_wrong(project, stage, ended, before_it)
    return wrong or (finish(project, stage) if stage == TRACK or project.leftovers() else "")


def ended_wrong(project: Project, stage: str, ended: Ended, before_it: bool = False) -> str:
    """Returns what is wrong with how a stage ended, or ''. before_it: libraries may print lines before ours."""
    if partial := project.partial(stage):
        return f"partial: {partial}"
    if ended.code == 0:  # a fault that the stage may pass over, such as a log that cannot be deleted
        if missing := project.missing(stage):
            return f"exit code 0, but {missing[:3]} are missing"
    elif ended.code not in CODES or not _is_one_line(ended.told, stage, before_it):
        return f"exit code {ended.code}: {ended.told.strip()[-600:]}"
    return ""


def finish(project: Project, stage: str) -> str:
    """Runs a stage again, undisturbed; returns what is wrong, or ''."""
    ended = run(project, stage)
    if ended != (0, ""):
        return f"the next run: exit code {ended.code}: {ended.told.strip()[-600:]}"
    wrong = [*project.partial(stage), *project.missing(stage), *map(project.name, project.leftovers())]
    return f"after the next run: {wrong}" if wrong else ""


def _is_one_line(told: str, stage: str, before_it: bool) -> bool:
    *before, last = told.splitlines() or [""]
    ours = [line for line in before if line.startswith(("error: ", "Traceback"))]
    return last.startswith(f"error: {stage}: ") and not (ours if before_it else before)


def _traced(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status").read_text()
    return "TracerPid:\t0\n" not in status


def _words(command: str) -> list[str]:
    return shlex.split(command)[3:]  # after python -m textmill.stage


def _in_fork(folder: Path, stage: str, command: str, before: Callable[[], None], told: int, stops: bool) -> None:
    """Runs the stage: it never returns."""
    from textmill import guardian
    from textmill import stage as starter

    code = 1
    try:
        os.chdir(folder)
        os.environ["DVC_STAGE"] = stage
        os.dup2(told, 2)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        script, *words = _words(command)

        def load() -> Callable[..., None]:
            signal.alarm(PATIENCE)  # ends it also where it hangs
            main = importlib.import_module(f"stages.{script}").main
            if stops:
                os.kill(os.getpid(), signal.SIGSTOP)
            before()
            return main

        if stops:
            starter.run(script, load, words)
        else:
            guardian.watch(stage, lambda: starter.run(script, load, words))
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)

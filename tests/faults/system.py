"""An error or a kill at the k-th system call on a path, by strace: what Python does not see is also met.

polars, arrow and safetensors open and write their files themselves.
"""

import random
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from faults.calls import DISK, step
from faults.forks import finish, judge, run
from faults.project import Project

CALLS = ["open", "openat", "write", "pwrite64", "writev", "ftruncate", "fallocate", "fsync", "fdatasync", "mkdir"]
CALLS += ["mkdirat", "rename", "renameat", "renameat2", "unlink", "unlinkat", "rmdir"]
KILL = "killed"
LINE = re.compile(r"\d+ +(\w+)\((.*)")
OF_PROCESS = re.compile(r"\.\d+(\.textmill\.part)")  # a temporary folder has the process's number in its name


class Call(NamedTuple):
    """A system call: the k-th of its name on a path, which is as the call or its descriptor has it."""

    name: str
    path: str
    k: int


def absent() -> str:
    """Returns why strace cannot be used here, or ''."""
    if not shutil.which("strace"):
        return "no strace"
    tried = subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True, text=True)
    return "strace may not trace" if tried.returncode else ""


def cases(
    project: Project, count: int | None, chance: random.Random
) -> Iterator[tuple[str, str, Callable[[], str | None]]]:
    """Yields seeded cases: a fault, what it meets, and a function that returns what is wrong. count: None for all."""
    stages = project.stages if count is None else project.some(count, chance)
    counted: dict[str, list[Call]] = {}
    for stage in stages:
        if stage not in counted:
            counted[stage] = system_calls(project, stage)
        every = counted[stage]
        for call in every[:: step(every)] if count is None else [chance.choice(every)]:
            kind = chance.choice((*DISK, KILL))
            fault = "killed at a system call" if kind == KILL else "error of a system call"
            what = f"{stage}: {kind} at {call.name} {call.k} of {call.path}"
            yield fault, what, partial(check, project, stage, kind, call)


def check(project: Project, stage: str, kind: str, call: Call) -> str | None:
    """Runs a stage with an error or a kill at a system call; returns what is wrong, '', or None if it did not come.

    A random name differs in each run.
    """
    log = project.copy.with_name("strace.log")
    how = "signal=KILL" if kind == KILL else f"error={kind}"

    def tracer(pid: int) -> list[str]:
        path = OF_PROCESS.sub(rf".{pid}\1", call.path)
        return [*_strace(log, call.name), "-P", path, "-e", f"inject={call.name}:{how}:when={call.k}"]

    ended = run(project, stage, tracer=tracer)
    if kind == KILL and ended.code == -9:
        partly = project.partial(stage)
        return f"partial: {partly}" if partly else finish(project, stage)
    return judge(project, stage, ended) if "(INJECTED)" in log.read_text(errors="replace") else None


def system_calls(project: Project, stage: str) -> list[Call]:
    """Runs a stage undisturbed; returns its system calls on paths of the project."""
    log = project.copy.with_name("strace.log")
    ended = run(project, stage, tracer=lambda _: [*_strace(log, *CALLS), "-y"])
    assert ended == (0, ""), (stage, ended)
    lines = log.read_text(errors="replace").splitlines()
    found = Counter((name, path) for name, path in (_call(line, project.folder) for line in lines) if path)
    return [Call(name, path, k) for (name, path), number in found.items() for k in range(1, number + 1)]


def _strace(log: Path, *calls: str) -> list[str]:
    known = ",".join(f"?{call}" for call in calls)  # ?: not every processor has each
    return ["strace", "-f", "-qq", "-o", str(log), "-e", f"trace={known}", "-e", "signal=none"]


def _call(line: str, folder: Path) -> tuple[str, str]:
    """Returns a line's system call and its path: of its descriptor, or the first quoted; '' outside of the project."""
    if not (matched := LINE.match(line)):
        return "", ""
    name, rest = matched.groups()
    quoted, descriptor = re.search(r'"([^"]*)"', rest), re.match(r"\d+<([^>]*)>", rest)
    path = quoted if name.rstrip("2").endswith("at") else descriptor or quoted  # ...at: the descriptor is of a folder
    relative = path is quoted and path and not path[1].startswith("/")
    return name, path[1] if path and (relative or path[1].startswith(f"{folder}/")) else ""

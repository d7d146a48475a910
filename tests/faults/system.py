"""An error or a kill at the k-th system call of a thread, by strace: what Python does not see is also met.

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

from faults.calls import DISK
from faults.forks import finish, judge, run
from faults.project import Project

CALLS = (
    "openat",
    "write",
    "pwrite64",
    "writev",
    "ftruncate",
    "fsync",
    "fdatasync",
    "mkdir",
    "rename",
    "unlink",
    "rmdir",
)
CALLS += ("renameat", "renameat2", "unlinkat", "mkdirat", "open", "fallocate")
KILL = "killed"
LINE = re.compile(r"(\d+) (\w+)\((.*)")


def absent() -> str:
    """Returns why strace cannot be used here, or ''."""
    if not shutil.which("strace"):
        return "no strace"
    tried = subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True, text=True)
    return "strace may not trace" if tried.returncode else ""


def cases(project: Project, count: int | None, chance: random.Random) -> Iterator[tuple[str, str, Callable[[], str]]]:
    """Yields seeded cases: a fault, what it meets, and a function that returns what is wrong. count: None for all."""
    stages = project.stages if count is None else chance.choices(project.stages, k=count)
    counted: dict[str, list[tuple[str, int]]] = {}
    for stage in stages:
        if stage not in counted:
            counted[stage] = system_calls(project, stage)
        for call, k in counted[stage] if count is None else [chance.choice(counted[stage])]:
            kind = chance.choice((*DISK, KILL))
            fault = "killed at a system call" if kind == KILL else "error of a system call"
            yield fault, f"{stage}: {kind} at {call} {k}", partial(check, project, stage, kind, call, k)


def check(project: Project, stage: str, kind: str, call: str, k: int) -> str:
    """Runs a stage with an error or a kill at each thread's k-th system call; returns what is wrong, or ''."""
    how = "signal=KILL" if kind == KILL else f"error={kind}"
    ended = run(project, stage, tracer=[*_strace(call), "-o", "/dev/null", "-e", f"inject={call}:{how}:when={k}"])
    if kind == KILL and ended.code == -9:
        partly = project.partial(stage)
        return f"partial: {partly}" if partly else finish(project, stage)
    return judge(project, stage, ended)


def system_calls(project: Project, stage: str) -> list[tuple[str, int]]:
    """Runs a stage undisturbed; returns its system calls on paths of the project, each with its number in its thread."""
    log = project.copy.with_name("strace.log")
    ended = run(project, stage, tracer=[*_strace(*CALLS), "-y", "-o", str(log)])
    assert ended == (0, ""), (stage, ended)
    done: Counter[tuple[str, str]] = Counter()
    found: set[tuple[str, int]] = set()
    for line in log.read_text(errors="replace").splitlines():
        if matched := LINE.match(line):
            thread, call, rest = matched.groups()
            done[thread, call] += 1
            if _is_of(project.folder, rest):
                found.add((call, done[thread, call]))
    return sorted(found)


def _strace(*calls: str) -> list[str]:
    known = ",".join(f"?{call}" for call in calls)  # ?: not every processor has each
    return ["strace", "-f", "-qq", "-e", f"trace={known}", "-e", "signal=none"]


def _is_of(folder: Path, rest: str) -> bool:
    """Whether a call's arguments name a path of the project: the path of a descriptor, or the first that is quoted."""
    if rest[:1].isdigit():
        return f"<{folder}/" in rest.split(",")[0]
    quoted = re.search(r'"([^"]*)"', rest)
    return bool(quoted) and (not quoted[1].startswith("/") or quoted[1].startswith(f"{folder}/"))

"""An error at the k-th call of a function of the operating system from Python, on a path of the project."""

import builtins
import errno
import io
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial

from faults.forks import judge, run
from faults.project import Project

PLACES = {"open": (builtins, io), "replace": (os,), "fsync": (os,), "unlink": (os,), "mkdir": (os,)}
MOST = 80  # calls of a stage that fail one after the other; `track` has thousands
DISK = ("ENOSPC", "EROFS", "EIO", "EACCES")
KINDS = (*DISK, "MemoryError")


def cases(project: Project, count: int | None, chance: random.Random) -> Iterator[tuple[str, str, Callable[[], str]]]:
    """Yields seeded cases: a fault, what it meets, and a function that returns what is wrong. count: None for all."""
    stages = project.stages if count is None else project.some(count, chance)
    counted: dict[str, Counter[str]] = {}
    for stage in stages:
        if stage not in counted:
            counted[stage] = count_calls(project, stage)
        every = [(place, k) for place, number in sorted(counted[stage].items()) for k in range(1, number + 1)]
        for place, k in every[:: step(every)] if count is None else [chance.choice(every)]:
            kind = chance.choice(KINDS)
            fault = kind if kind == "MemoryError" else "error of a call"
            yield fault, f"{stage}: {kind} at {place} {k}", partial(check, project, stage, kind, place, k)


def step(every: list) -> int:
    """Returns the k by which every k-th call of a stage is at most MOST calls."""
    return -(-len(every) // MOST)


def check(project: Project, stage: str, kind: str, place: str, k: int) -> str:
    """Runs a stage with an error at the k-th call of a function; returns what is wrong, or ''."""
    fails = (place, k).__eq__
    return judge(project, stage, run(project, stage, lambda: inject(lambda *call: fails(call), kind)))


def count_calls(project: Project, stage: str) -> Counter[str]:
    """Runs a stage undisturbed; returns how often it calls each function."""
    reads, writes = os.pipe()

    def told(name: str, _: int) -> bool:
        os.write(writes, f"{name}\n".encode())
        return False

    with open(reads) as calls:
        ended = run(project, stage, lambda: inject(told))
        os.close(writes)
        assert ended == (0, ""), (stage, ended)
        return Counter(calls.read().split())


def inject(fails: Callable[[str, int], bool], kind: str = "EIO") -> None:
    """Wraps the functions of PLACES. fails: takes a function's name and the number of its call on a path from here."""
    done: Counter[str] = Counter()
    here = os.getcwd()

    def wrap(name: str, plain: Callable) -> Callable:
        def call(*given, **named):
            path = given[0] if given else named.get("path") or named.get("file")
            ours = isinstance(path, int) if name == "fsync" else isinstance(path, str | os.PathLike)
            if ours and (name == "fsync" or os.path.abspath(os.fspath(path)).startswith(here)):
                done[name] += 1
                if fails(name, done[name]):
                    raise error(kind, str(path))
            return plain(*given, **named)

        return call

    for name, modules in PLACES.items():
        made = wrap(name, getattr(modules[0], name))
        for module in modules:
            setattr(module, name, made)
    os.remove = os.unlink


def error(kind: str, path: str) -> BaseException:
    """Returns the error of a kind."""
    number = getattr(errno, kind, 0)
    return OSError(number, os.strerror(number), path) if number else MemoryError()

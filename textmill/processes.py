"""Locks, signals and threads of processes: no two write the same files, and none outlives its parent."""

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from textmill.errors import INTERRUPTED, ResourceError
from textmill.files import writing

LOCKS = Path("data/.locks")
M_TRIM_THRESHOLD, M_MMAP_MAX, M_ARENA_MAX = -1, -4, -8  # of malloc.h
FIRST = os.environ.get("RANK", "0") == "0"  # under torchrun the other processes neither lock nor print
PROCESSES = int(os.environ.get("WORLD_SIZE", "1"))
SIGNALS = (signal.SIGINT, signal.SIGTERM)
TOGETHER = 1.0  # seconds in which signals count as one: the terminal and each parent that ends send their own
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")  # read by a library when it is loaded


@contextmanager
def alone(name: str) -> Iterator[None]:
    """Holds the lock called `name`. Raises ResourceError if it cannot, and names the process that has it."""
    import fcntl  # Windows has none

    path = LOCKS / f"{name}.lock"
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = open(path, "a+")  # noqa: SIM115
    with lock:
        with writing(path):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                lock.seek(0)
                raise ResourceError(f"held by process {lock.read().strip()}; wait for it, or end it") from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def end_with_parent() -> None:
    """Makes the kernel send SIGTERM when the parent ends (Linux; elsewhere only the locks protect).

    Raises KeyboardInterrupt if the parent ended before that.
    """
    parent = os.getppid()
    if sys.platform == "linux":
        set_death_signal = 1  # PR_SET_PDEATHSIG
        ctypes.CDLL(None).prctl(set_death_signal, signal.SIGTERM)
    if os.getppid() != parent or _adopted(parent):
        raise KeyboardInterrupt


def _adopted(parent: int) -> bool:
    """Whether init adopted this process: its parent is in another session, and this process began none itself."""
    try:
        return os.getsid(0) not in (os.getpid(), os.getsid(parent))
    except OSError:
        return False


@contextmanager
def on_threads(count: int) -> Iterator[None]:
    """Makes libraries compute on this many threads: loaded ones, and ones that the block loads."""
    from threadpoolctl import threadpool_limits

    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, str(count)))
    try:
        with threadpool_limits(count):
            yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def keep_memory() -> None:
    """Makes this process keep memory that it frees (glibc; does nothing elsewhere).

    Otherwise every large tensor is mapped, filled with zeros page by page and unmapped again, which took a third of a
    BiLSTM's training step. In return, memory is not given back before the process ends, and threads wait for one
    another when they allocate.
    """
    if sys.platform == "linux" and (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)):
        mallopt(M_ARENA_MAX, 1)  # what one thread frees, the others can use
        mallopt(M_MMAP_MAX, 0)
        mallopt(M_TRIM_THRESHOLD, -1)


def interrupt_once(second_ends: bool = False) -> None:
    """Makes the first SIGINT or SIGTERM raise KeyboardInterrupt in the main thread, and the next ones do nothing.

    The terminal and the parent may both send one, and the second must not interrupt the clean-up. second_ends: one that
    comes more than TOGETHER after the first ends this process at once, with the exit code INTERRUPTED.
    """

    def first(*_: object) -> NoReturn:
        came = time.monotonic()

        def later(*_: object) -> None:
            if second_ends and time.monotonic() - came > TOGETHER:
                os._exit(INTERRUPTED)

        for number in SIGNALS:
            signal.signal(number, later)  # not SIG_IGN, which children would inherit
        raise KeyboardInterrupt

    for number in SIGNALS:
        signal.signal(number, first)


@contextmanager
def unbroken() -> Iterator[None]:
    """Delays a SIGINT or SIGTERM to the end of the block, so that the block's changes are complete."""
    if threading.current_thread() is not threading.main_thread():  # the only one that signals reach
        yield
        return
    came: list[int] = []
    before = {number: signal.signal(number, lambda number, _: came.append(number)) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])

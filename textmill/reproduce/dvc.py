"""Calls DVC inside this process: it is imported once, and a signal does not interrupt it while it writes."""

import logging
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, TypeVar

import psutil

from textmill.errors import INTERRUPTED, ArtifactError, ParamsError, ResourceError, TextmillError
from textmill.reproduce.guard import atomic_dumps, clear_rwlock
from textmill.reproduce.why import lines, plan

if TYPE_CHECKING:
    from dvc.repo import Repo

GRACE = 10.0  # seconds that a stage has to end by itself

ALREADY_REPORTED = {2, 3, 4, 5, 6, INTERRUPTED}  # exit codes of stages that have printed what was wrong
BEGINS, RESTORED, SAME = "begins", "is restored, without running: it ran before on the same inputs", "did not change"
WORDS = {  # DVC's messages about a stage, in our words
    "Running stage '%s':": BEGINS,
    "Stage '%s' is cached - skipping run, checking out outputs": RESTORED,
    "Stage '%s' didn't change, skipping": SAME,
}

T = TypeVar("T")
Listener = Callable[[str, str], None]  # takes a stage and one of these words


class StageError(TextmillError):
    """A stage failed. The message is empty if the stage has printed why.

    stage: whose command failed; empty if DVC itself found something wrong.
    """

    def __init__(self, message: str, code: int = 1, stage: str = ""):
        super().__init__(message)
        self.exit_code = code if code > 0 else 128 - code  # killed by a signal: as a shell reports it
        self.stage = stage


def repro(*targets: str, on_event: Listener, single: bool = False) -> None:
    """Runs `dvc repro TARGETS...` (none: all). Raises StageError with the exit code of the stage that failed.

    Shows only DVC's warnings. single: runs only these stages, and none above them.
    """
    _ask_dvc(lambda dvc: dvc.reproduce(targets, single_item=single), on_event)


def changed() -> list[str]:
    """Returns the stages that are not up to date, in the order that `dvc repro` runs them. Raises StageError."""
    return _ask_dvc(lambda dvc: list(dvc.status()))


def failure(stage: str, code: int) -> str:
    """Returns in words how a stage failed."""
    if code in ALREADY_REPORTED:
        return f"{stage} failed"
    if code < 0 or code > 128:
        return f"{stage} was killed by signal {-code if code < 0 else code - 128}"
    return f"{stage} failed with exit code {code}"


def why(stage: str | None) -> list[str]:
    """Returns the lines of `textmill why`. Raises StageError, and ParamsError if there is no such stage."""

    def question(dvc: "Repo") -> list[str]:
        names = [one.addressing for one in dvc.index.stages]
        known = {*names, *(name.split("@")[0] for name in names)}
        if stage and stage not in known:
            raise ParamsError(f"{stage}: no such stage; expected one of {', '.join(sorted(known))}")
        return list(lines(plan(dvc), stage))

    return _ask_dvc(question)


class _StageHandler(logging.Handler):
    """Passes on what DVC logs about stages."""

    def __init__(self, on_event: Listener):
        super().__init__(logging.INFO)
        self.on_event = on_event

    def emit(self, record: logging.LogRecord) -> None:
        if word := WORDS.get(str(record.msg)):
            self.on_event(str(record.args[0] if isinstance(record.args, tuple) else record.args), word)


@contextmanager
def _listening(on_event: Listener) -> Iterator[None]:
    """Passes on DVC's log for the block; shows only warnings."""
    log, handler = logging.getLogger("dvc"), _StageHandler(on_event)
    for own in log.handlers:
        own.setLevel(max(own.level, logging.WARNING))
    log.setLevel(logging.INFO)
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)


def _ask_dvc(question: Callable[["Repo"], T], on_event: Listener = lambda *_: None) -> T:
    from dvc.exceptions import DvcException, NotDvcRepoError
    from dvc.lock import LockError
    from dvc.repo import Repo

    def ask() -> T:
        with atomic_dumps(), Repo(_wait_for_lock=True) as dvc:
            clear_rwlock(Path(dvc.tmp_dir))
            return question(dvc)

    try:
        with _listening(on_event):
            return _shielded(ask)
    except NotDvcRepoError as error:
        raise ArtifactError(f"{error}; go to a project's folder (`textmill new` makes one)") from error
    except DvcException as error:
        raise _as_error(error, LockError) from error


def _as_error(error: BaseException, lock_error: type[Exception]) -> TextmillError:
    """Returns DVC's error in our words: how the stage's command ended, or else its causes, one after the other."""
    causes = [error]
    while causes[-1].__cause__:
        causes.append(causes[-1].__cause__)
    if locked := [one for one in causes if isinstance(one, lock_error)]:
        return ResourceError(_busy(str(locked[-1])))
    stage = re.fullmatch(r"failed to reproduce '(.+)'", str(error))
    status = re.search(r"^failed to run: .*, exited with (-?\d+)$", str(causes[-1]), re.DOTALL)
    if not (stage and status):
        return StageError(": ".join(map(str, causes)))
    code = int(status[1])
    return StageError("" if code in ALREADY_REPORTED else failure(stage[1], code), code, stage[1])


def _busy(message: str) -> str:
    """Returns in our words that another DVC process has the folder, or a path in it."""
    path, numbers = re.match("'(.+)' is busy", message), dict.fromkeys(re.findall(r"\(PID (\d+)\)", message))
    if path and numbers:
        return f"{path[1]}: held by DVC's process {', '.join(numbers)}; wait for it, or end it"
    return "another DVC process has this folder; wait for it, or end it"


def _shielded(work: Callable[[], T]) -> T:
    """Calls DVC in a thread, where it leaves signals to us.

    At KeyboardInterrupt, ends the stage and waits for DVC, which may be writing dvc.lock.
    """
    result: Future[T] = Future()

    def call() -> None:
        try:
            result.set_result(work())
        except BaseException as error:
            result.set_exception(error)

    Thread(target=call, daemon=True).start()
    try:
        while not result.done():  # in short waits: with polars' signal handler, a long one sleeps through SIGINT
            wait([result], 0.1)
    except KeyboardInterrupt:
        _wind_down(result)
        raise
    return result.result()


def _wind_down(result: Future) -> None:
    """Ends the stage that DVC waits for, and any that it still starts, until DVC gives up.

    A shell between DVC and the stage ends at once, so this waits for the stage itself.
    """
    patience = time.monotonic() + GRACE
    seen: set[psutil.Process] = set()
    while (not result.done() or any(map(lives, seen))) and time.monotonic() < patience + GRACE:
        new = set(psutil.Process().children(recursive=True)) - seen
        seen |= new
        late = time.monotonic() > patience
        for child in filter(lives, seen if late else new):
            with suppress(psutil.Error):
                child.kill() if late else child.terminate()
        time.sleep(0.05)


def lives(process: psutil.Process) -> bool:
    """Returns whether a process runs; a zombie does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False

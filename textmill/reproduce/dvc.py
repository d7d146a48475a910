"""DVC, called inside this process: its second of imports is paid once, and a signal never cuts it short."""

import logging
import re
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING, TypeVar

import psutil

from textmill.errors import ArtifactError, ParamsError, TextmillError
from textmill.reproduce.why import plan, told

if TYPE_CHECKING:
    from dvc.repo import Repo

GRACE = 10.0  # seconds that a stage gets to end by itself

T = TypeVar("T")


class StageError(TextmillError):
    """A stage failed, and told why."""

    def __init__(self, message: str, code: int = 1):
        super().__init__(message)
        self.exit_code = code if code > 0 else 1


def repro(*targets: str, single: bool = False) -> None:
    """`dvc repro TARGETS...` (none: all). Raises StageError, with the exit code of the stage that failed.

    single: these stages alone, whatever is above them; of DVC itself, warnings are all that is shown then.
    """
    _ask_dvc(lambda dvc: dvc.reproduce(targets, single_item=single), logging.WARNING if single else logging.INFO)


def changed() -> list[str]:
    """Names of the stages that are not up to date, in the order that `dvc repro` runs them. Raises StageError."""
    return _ask_dvc(lambda dvc: list(dvc.status()), logging.WARNING)


def why(stage: str | None) -> list[str]:
    """What `textmill why` says. Raises StageError, and ParamsError if there is no such stage."""

    def question(dvc: "Repo") -> list[str]:
        names = [one.addressing for one in dvc.index.stages]
        known = {*names, *(name.split("@")[0] for name in names)}
        if stage and stage not in known:
            raise ParamsError(f"{stage}: no such stage; expected one of {', '.join(sorted(known))}")
        return list(told(plan(dvc), stage))

    return _ask_dvc(question, logging.WARNING)


def _ask_dvc(question: Callable[["Repo"], T], level: int) -> T:
    from dvc.exceptions import DvcException, NotDvcRepoError
    from dvc.repo import Repo

    def ask() -> T:
        with Repo(_wait_for_lock=True) as dvc:
            return question(dvc)

    logging.getLogger("dvc").setLevel(level)
    try:
        return _shielded(ask)
    except NotDvcRepoError as error:
        raise ArtifactError(f"{error}; go to a project's folder (`textmill new` makes one)") from error
    except DvcException as error:
        raise _told(error) from error


def _told(error: BaseException) -> StageError:
    """DVC's error with its causes, the last of which tells how the stage's process ended."""
    causes = [error]
    while causes[-1].__cause__:
        causes.append(causes[-1].__cause__)
    ended = re.search(r"exited with (\d+)$", str(causes[-1]))
    return StageError(": ".join(map(str, causes)), int(ended[1]) if ended else 1)


def _shielded(work: Callable[[], T]) -> T:
    """Call DVC in a thread, where it leaves signals to us.

    At KeyboardInterrupt the stage is ended, but DVC, which might be writing dvc.lock, is waited for.
    """
    result: Future[T] = Future()

    def call() -> None:
        try:
            result.set_result(work())
        except BaseException as error:
            result.set_exception(error)

    Thread(target=call, daemon=True).start()
    try:
        while not result.done():  # in short waits: polars takes SIGINT in a way that a long one would sleep through
            wait([result], 0.1)
    except KeyboardInterrupt:
        _wind_down(result)
        raise
    return result.result()


def _wind_down(result: Future) -> None:
    """End the stage that DVC waits for, and any that it still starts, until it gives up itself.

    Between DVC and the stage there may be a shell, which ends at once: the stage is waited for by itself.
    """
    patience = time.monotonic() + GRACE
    seen: set[psutil.Process] = set()
    while (not result.done() or any(map(_lives, seen))) and time.monotonic() < patience + GRACE:
        new = set(psutil.Process().children(recursive=True)) - seen
        seen |= new
        late = time.monotonic() > patience
        for child in filter(_lives, seen if late else new):
            with suppress(psutil.Error):
                child.kill() if late else child.terminate()
        time.sleep(0.05)


def _lives(process: psutil.Process) -> bool:
    """Whether it runs; what has ended and was not asked for its exit code does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False

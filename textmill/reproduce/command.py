"""DVC, called inside this process: its second of imports is paid once, and a signal never cuts it short."""

import io
import logging
import re
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextlib import nullcontext, redirect_stdout, suppress
from threading import Thread
from typing import TypeVar

import psutil

from textmill.errors import TextmillError

GRACE = 10.0  # seconds that a stage gets to end by itself

T = TypeVar("T")


class StageError(TextmillError):
    """A stage failed, and told why."""

    def __init__(self, message: str, code: int = 1):
        super().__init__(message)
        self.exit_code = code if code > 0 else 1


def repro(*words: str, quiet: bool = False) -> None:
    """Run `dvc repro WORDS...`. Raises StageError, with the exit code of the stage that failed.

    quiet: of DVC itself, warnings and errors alone are shown.
    """
    import tqdm  # noqa: F401  DVC's bars: when imported they set sys.stdout anew, so that comes before redirecting it
    from dvc.cli import main

    log, failed = logging.getLogger("dvc"), _StageCode()
    log.setLevel(logging.WARNING if quiet else logging.INFO)
    log.addHandler(failed)
    try:
        with redirect_stdout(io.StringIO()) if quiet else nullcontext():
            if _shielded(lambda: main(["--wait-for-lock", "repro", *words])):
                raise StageError(f"dvc repro {' '.join(words)}".strip() + " failed, as told above", failed.code)
    finally:
        log.removeHandler(failed)


def changed() -> list[str]:
    """Names of the stages that are not up to date, in the order that `dvc repro` runs them.

    Raises StageError where DVC cannot tell: dvc.yaml or dvc.lock is broken, or this is no checkout.
    """
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    def ask() -> list[str]:
        with Repo(_wait_for_lock=True) as repo:
            return list(repo.status())

    try:
        return _shielded(ask)
    except DvcException as error:
        raise StageError(str(error)) from error


class _StageCode(logging.Handler):
    """Keeps the exit code of a failed stage, which DVC tells in its log only."""

    code = 1

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info and record.exc_info[1]
        while error:
            if told := re.search(r"exited with (\d+)$", str(error)):
                self.code = int(told[1])
            error = error.__cause__


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
    """End the stage that DVC waits for, and any that it still starts, until it gives up itself."""
    patience = time.monotonic() + GRACE
    while not result.done() and time.monotonic() < patience + GRACE:
        with suppress(psutil.Error):
            for child in psutil.Process().children(recursive=True):
                child.terminate() if time.monotonic() < patience else child.kill()
        wait([result], 0.2)

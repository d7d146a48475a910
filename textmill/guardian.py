"""A process that waits for a stage: where a library or the system ends the stage, it still says so in one line.

When memory runs out, polars and arrow abort, OpenBLAS exits, and Linux kills. No handler in the stage sees that.
"""

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

from textmill import failures
from textmill.errors import INTERRUPTED, ResourceError
from textmill.processes import SIGNALS, end_with_parent

OURS = {0, 2, 3, 4, 5, 6, INTERRUPTED}  # exit codes that a stage has explained itself
LIKELY = "most likely memory ran out; lower train.batch_tokens or the sizes of the model, or use a machine with more"


def watch(name: str, work: Callable[[], None]) -> None:
    """Does the work in a child, passes signals on to it, and exits with its exit code.

    name: the stage. Where no child can be made, as on Windows, the work is done here.
    """
    if not hasattr(os, "fork"):
        work()
        return
    try:
        end_with_parent()
    except KeyboardInterrupt:  # an orphan, or a signal
        sys.exit(_interrupted(name))
    says, ends = os.pipe()
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        child = os.fork()
    except OSError:  # no memory for another process
        child = 0
    if not child:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        try:
            work()
        finally:
            os.write(ends, b".")  # no library has ended this process
        return
    os.close(ends)

    def forward(number: int, _: FrameType | None) -> None:
        with suppress(ProcessLookupError):
            os.kill(child, number)

    for number in SIGNALS:
        signal.signal(number, forward)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os.set_blocking(says, False)
    sys.exit(_explained(name, code, python_ended=_read(says)))


def _read(pipe: int) -> bool:
    try:
        return bool(os.read(pipe, 1))
    except BlockingIOError:  # a process that the stage started lives on
        return False


def _explained(name: str, code: int, python_ended: bool) -> int:
    """Returns a stage's exit code; prints a line if the stage could not."""
    if code in OURS or (python_ended and code > 0):
        return code
    if -code in SIGNALS:  # before the stage had set its handlers
        return _interrupted(name)
    what = f"signal {-code} ({signal.strsignal(-code)})" if code < 0 else f"a library, with exit code {code}"
    error = ResourceError(f"ended by {what}: {LIKELY}")
    print(failures.line(name, error), file=sys.stderr)
    return error.exit_code


def _interrupted(name: str) -> int:
    print(f"{name}: interrupted; run it again to continue", file=sys.stderr)
    return INTERRUPTED

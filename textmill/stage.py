"""Starts a stage, as DVC does: `python -m stages.NAME PATH...`."""

import inspect
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

from textmill.console import say
from textmill.errors import INTERRUPTED, ParamsError, TextmillError
from textmill.extras import naming_extras
from textmill.pin import check_pin
from textmill.processes import alone, end_with_parent, interrupt_once

FIRST = os.environ.get("RANK", "0") == "0"  # under torchrun the other processes neither lock nor print
PROCESSES = int(os.environ.get("WORLD_SIZE", "1"))


def run(main: Callable[..., None]) -> None:
    """Calls a stage's main with the command line's arguments, prints the time, and exits with the right code.

    Arguments are positional; each is converted to the type that main declares (Path or str). A user's mistake ends as
    one line on stderr; a bug keeps its traceback.
    """
    name = os.environ.get("DVC_STAGE", main.__module__ if main.__module__ != "__main__" else Path(sys.argv[0]).stem)
    started = time.monotonic()
    interrupt_once()
    try:
        end_with_parent()
        check_pin(Path())
        with naming_extras(), alone(name) if FIRST else _silent():
            main(*_arguments(main, sys.argv[1:]))
    except TextmillError as error:
        if "--debug" in sys.argv:
            raise
        print(f"error: {name}: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print(f"{name}: interrupted; run it again to continue", file=sys.stderr)
        sys.exit(INTERRUPTED)
    if FIRST:
        say(f"{name}: {time.monotonic() - started:.1f} s")


def _arguments(main: Callable[..., None], words: list[str]) -> list[Path | str]:
    words = [word for word in words if word != "--debug"]
    parameters = [p for p in inspect.signature(main).parameters.values() if p.default is p.empty]
    if len(words) != len(parameters):
        raise ParamsError(
            f"expected {len(parameters)} arguments ({', '.join(p.name for p in parameters)}), found {len(words)}"
        )
    return [parameter.annotation(word) for parameter, word in zip(parameters, words, strict=True)]


@contextmanager
def _silent() -> Iterator[None]:
    with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
        yield

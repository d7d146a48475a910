"""Runs one model in its own process: `python -m textmill.reproduce NAME`. Its parent reads what it prints."""

import sys

from textmill import failures
from textmill.console import say
from textmill.errors import INTERRUPTED, TextmillError
from textmill.processes import end_with_parent, interrupt_once
from textmill.reproduce.dvc import SAME, repro
from textmill.reproduce.parallel import STAGES


def main(model: str) -> int:
    """Returns 0, or the exit code of the stage that failed, which has printed why."""
    interrupt_once()
    try:
        end_with_parent()
        repro(*(f"{stage}@{model}" for stage in STAGES), on_event=_say, single=True)
    except TextmillError as error:
        if not getattr(error, "stage", ""):  # otherwise the stage has printed its own line, or the parent will
            print(failures.line("repro", error), file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def _say(stage: str, word: str) -> None:
    if word != SAME:
        say(f"{stage} {word}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

"""One model as a process of its own: `python -m textmill.reproduce NAME`."""

import sys

from textmill.errors import INTERRUPTED
from textmill.processes import end_with_parent, interrupt_once
from textmill.reproduce.dvc import StageError, repro


def main(model: str) -> int:
    """0, or the exit code of the stage that failed, and told why."""
    interrupt_once()
    try:
        end_with_parent()
        repro(f"train@{model}", f"evaluate@{model}", f"curve@{model}", single=True)
    except StageError as error:
        print(f"error: repro: {' '.join(str(error).split())}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

"""Shows how far models are while they train: one moving line each in a terminal, plain lines elsewhere.

Everything that a model prints also goes into its log, data/logs/NAME.log.
"""

import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Self

from textmill.console import UNPRINTABLE
from textmill.reproduce.dvc import failure
from textmill.reproduce.progress import Progress

if TYPE_CHECKING:
    from rich.console import Group

LOGS = Path("data/logs")
PACE = 5.0  # seconds between two epochs of a model that are printed, without a terminal
LONG = 20  # longer names are truncated


class Board:
    """The models of a run: waiting, running and done. Prints plain lines."""

    def __init__(self, models: Sequence[str], expected: Mapping[str, float]):
        self.models, self.expected = models, expected
        self.width = max(len(_short(model)) for model in models)
        self.work: dict[str, Progress] = {}
        self.codes: dict[str, int] = {}
        self.stages: dict[str, str] = {}  # the last stage of each model that has ended
        self.ran: set[str] = set()
        self.shown: dict[str, float] = {}
        self.logs: dict[str, IO[str]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for log in self.logs.values():
            log.close()

    def begin(self, model: str) -> None:
        """Takes note that a model's process has started."""
        self.work[model] = Progress(time.monotonic(), self.expected.get(model, float("inf")))
        with suppress(OSError):  # training continues without a log
            LOGS.mkdir(parents=True, exist_ok=True)
            self.logs[model] = open(log_of(model), "w", encoding="utf-8", errors="replace", buffering=1)  # noqa: SIM115
        self.moved(model, "begins")

    def add_line(self, model: str, line: str, error: bool) -> None:
        """Takes a line that a model has printed, on stderr or stdout."""
        with suppress(OSError, KeyError):
            self.logs[model].write(f"{line}\n")
        what = "" if error else self.work[model].read(line, time.monotonic())
        self.ran |= {self.work[model].stage} - {""}
        if not what:
            self.show(model, line, error)
        elif what == "epoch":
            number, seeds = self.work[model].seed
            self.moved(model, f"seed {number}/{seeds}, {line}" if seeds > 1 else line)

    def end(self, model: str, code: int) -> None:
        """Takes note that a model's process has ended, and prints its score."""
        done, self.codes[model] = self.work.pop(model), code
        self.stages[model] = done.stage or model
        seconds = f"{time.monotonic() - done.began:.1f} s"
        outcome = failure(self.stages[model], code) if code else done.score or "done"
        self.show(model, f"{outcome}; {seconds}; {len(self.codes)} of {len(self.models)} models", error=False)

    def show(self, model: str, line: str, error: bool) -> None:
        """Prints a model's line for good."""
        print(self.labelled(model, line), file=sys.stderr if error else sys.stdout, flush=True)

    def moved(self, model: str, line: str) -> None:
        """Prints how far a model is, at most every PACE seconds."""
        if (now := time.monotonic()) - self.shown.get(model, -PACE) >= PACE:
            self.shown[model] = now
            self.show(model, line, error=False)

    def labelled(self, model: str, line: str) -> str:
        """Returns a line with the model's name before it."""
        return f"{_short(model):{self.width}} | {line.translate(UNPRINTABLE)}"


class LiveBoard(Board):
    """For a terminal: below the printed lines, a moving line for each running model, and how many are done."""

    def __enter__(self) -> Self:
        from rich.console import Console
        from rich.live import Live

        self.console = Console(markup=False, highlight=False)
        self.live = Live(
            console=self.console,
            get_renderable=self.view,
            refresh_per_second=4,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self.live.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.live.stop()
        super().__exit__(*error)

    def show(self, model: str, line: str, error: bool) -> None:
        if error and not sys.stderr.isatty():
            super().show(model, line, error)
        else:
            self.console.print(self.labelled(model, line))

    def moved(self, model: str, line: str) -> None:
        """Does nothing: the view shows it."""

    def view(self) -> "Group":
        """Returns the moving lines. They fit into 80 characters unless a name is long."""
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table

        now, table = time.monotonic(), Table.grid(padding=(0, 2))
        for justify in ("left", "left", "left", "right", "right"):
            table.add_column(no_wrap=True, overflow="ellipsis", justify=justify)
        for model, work in list(self.work.items()):
            left = work.left(now)
            table.add_row(
                _short(model),
                work.at,
                ProgressBar(total=1.0, completed=work.share, width=12),
                "" if work.accuracy is None else f"{100 * work.accuracy:.1f} %",
                "" if left is None else f"~ {clock(left)} left",
            )
        waiting = len(self.models) - len(self.codes) - len(self.work)
        counts = f"{len(self.codes)} of {len(self.models)} models done" + (f", {waiting} waiting" if waiting else "")
        return Group(table, f"{counts}; accuracy is on validation")


def board_for(models: Sequence[str], expected: Mapping[str, float]) -> Board:
    """Returns the board for a terminal or for other output. expected: seconds of earlier trainings, by model."""
    return (LiveBoard if sys.stdout.isatty() else Board)(models, expected)


def log_of(model: str) -> Path:
    """Returns the path of a model's log."""
    return LOGS / f"{model}.log"


def clock(seconds: float) -> str:
    """Returns seconds as people read them: 42 s, 3:07, 1:02:03."""
    whole = round(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    if whole < 60:
        return f"{whole} s"
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def _short(model: str) -> str:
    model = model.translate(UNPRINTABLE)
    return model if len(model) <= LONG else f"{model[: LONG - 1]}…"

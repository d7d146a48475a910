"""Epochs that may be stopped after any update and go on from there to the same bytes, of training and pretraining."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from torch import Tensor

from textmill.console import progress, say
from textmill.processes import unbroken
from textmill.training import checkpoint, distributed
from textmill.training.updates import Updates

T = TypeVar("T")
R = TypeVar("R", bound=Mapping[str, Any])  # a row of a history

OFTEN = 300  # seconds that a kill may cost


@dataclass(frozen=True)
class Within:
    """How far an epoch is: its updates so far, the sum of their documents' losses, the last rate, seconds."""

    steps: int = 0
    loss: float = 0.0
    lr: float = 0.0
    seconds: float = 0.0


class Epochs(Generic[R]):
    """How far a network's training is: a row for each epoch that is done, the one under way, the best weights so far.

    It is kept in `folder` after every epoch, and inside of one OFTEN and when it is interrupted; under torchrun, where
    each rank draws dropout of its own, after every epoch alone, by rank 0. Whoever makes it goes on from what is there.
    Raises ResourceError if the disk has no room for it.
    """

    def __init__(self, name: str, count: int, updates: Updates, folder: Path | None):
        self.name, self.count, self.updates, self.folder = name, count, updates, folder
        self.history: list[R] = []
        self.best: dict[str, Tensor] = {}
        self.within, self.started = Within(), time.monotonic()
        if folder:
            checkpoint.check_room(folder, updates.weights, updates.average)
            if found := checkpoint.load(folder, updates.weights, updates.average, updates.tuner):
                facts, self.best = found
                self.history, self.within = facts["history"], Within(**facts["within"])
                steps = f" and {self.within.steps} steps" if self.within.steps else ""
                say(f"going on after {name} {len(self.history)}{steps}")
        distributed.agree(len(self.history))

    @property
    def number(self) -> int:
        """That of the epoch under way, from 1 on."""
        return len(self.history) + 1

    @property
    def seconds(self) -> float:
        """That the epoch under way has taken, without the time in which it was stopped."""
        return time.monotonic() - self.started

    def through(self, batches: Iterable[T], steps: int) -> Iterator[tuple[float, T]]:
        """The batches, one a step, that the epoch under way has not seen; before each, the share of all steps done."""
        self.started = kept = time.monotonic()
        self.started -= self.within.seconds
        for step, batch in enumerate(progress(batches, f"{self.name} {self.number}", steps)):
            if step < self.within.steps:
                continue
            yield (self.number - 1 + (step + 0.5) / steps) / self.count, batch
            if distributed.size() == 1 and time.monotonic() - kept > OFTEN:
                self.keep()
                kept = time.monotonic()

    def update(self, gradients: Callable[[], Tensor], lr: float, documents: int) -> None:
        """One update, whole or not at all, by the gradients of the mean loss of so many documents."""
        done = self.within
        with unbroken():
            loss = self.updates.step(gradients, lr, f"{self.name} {self.number}, step {done.steps + 1}")
            self.within = Within(done.steps + 1, done.loss + loss * documents, lr, self.seconds)

    def end(self, row: R) -> None:
        """The epoch under way is done, and this is its row."""
        with unbroken():
            self.history.append(row)
            self.within = Within()
            self.keep()

    @contextmanager
    def kept_when_interrupted(self) -> Iterator[None]:
        """Lose nothing of what the block has done when it is interrupted."""
        try:
            yield
        except KeyboardInterrupt:
            if distributed.size() == 1:
                self.keep()
            raise

    def keep(self) -> None:
        """Write it down, if there is a folder."""
        if self.folder and distributed.rank() == 0:
            steps, updates = self.within.steps, self.updates
            facts: dict[str, Any] = {"epoch": len(self.history) + (steps > 0), "step": steps}
            facts |= {"history": self.history, "within": asdict(self.within)}
            checkpoint.save(self.folder, facts, updates.weights, updates.average, self.best, updates.tuner)

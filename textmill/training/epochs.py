"""Epochs of training and pretraining, which can stop after any update and resume to the same bytes."""

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

OFTEN = 300  # seconds of work that a kill may cost


@dataclass(frozen=True)
class EpochProgress:
    """Progress within an epoch."""

    steps: int = 0  # updates so far
    loss: float = 0.0  # sum of the documents' losses
    lr: float = 0.0  # last learning rate
    seconds: float = 0.0


class Epochs(Generic[R]):
    """The progress of a network's training: a row for each finished epoch, the current epoch, the best weights so far.

    It is saved in `folder` after each epoch, every OFTEN seconds, and when interrupted. Under torchrun, where each
    rank has its own dropout, rank 0 saves it after each epoch only. A new object resumes from what is saved.
    Raises ResourceError if the disk has no room for it.
    """

    def __init__(self, name: str, count: int, updates: Updates, folder: Path | None):
        self.name, self.count, self.updates, self.folder = name, count, updates, folder
        self.history: list[R] = []
        self.best: dict[str, Tensor] = {}
        self.within, self.started = EpochProgress(), time.monotonic()
        if folder:
            checkpoint.check_room(folder, updates.weights, updates.average)
            if found := checkpoint.load(folder, updates.weights, updates.average, updates.tuner):
                facts, self.best = found
                self.history, self.within = facts["history"], EpochProgress(**facts["within"])
                steps = f" and {self.within.steps} steps" if self.within.steps else ""
                say(f"resuming after {name} {len(self.history)}{steps}")
        distributed.agree(len(self.history))

    @property
    def number(self) -> int:
        """The current epoch's number, from 1 on."""
        return len(self.history) + 1

    @property
    def seconds(self) -> float:
        """The time that the current epoch has taken, without interruptions."""
        return time.monotonic() - self.started

    def remaining(self, batches: Iterable[T], steps: int) -> Iterator[tuple[float, T]]:
        """Yields the batches that the current epoch has not seen, one per step, with the share of all steps done."""
        self.started = kept = time.monotonic()
        self.started -= self.within.seconds
        for step, batch in enumerate(progress(batches, f"{self.name} {self.number}", steps)):
            if step < self.within.steps:
                continue
            yield (self.number - 1 + (step + 0.5) / steps) / self.count, batch
            if distributed.size() == 1 and time.monotonic() - kept > OFTEN:
                self.save()
                kept = time.monotonic()

    def update(self, gradients: Callable[[], Tensor], lr: float, documents: int) -> None:
        """Makes one update, completely or not at all, from the gradients of the mean loss of `documents` documents."""
        done = self.within
        with unbroken():
            loss = self.updates.step(gradients, lr, f"{self.name} {self.number}, step {done.steps + 1}")
            self.within = EpochProgress(done.steps + 1, done.loss + loss * documents, lr, self.seconds)

    def end(self, row: R) -> None:
        """Ends the current epoch, whose row of the history is `row`, and saves."""
        with unbroken():
            self.history.append(row)
            self.within = EpochProgress()
            self.save()

    @contextmanager
    def saved_when_interrupted(self) -> Iterator[None]:
        """Saves the progress if the block is interrupted."""
        try:
            yield
        except KeyboardInterrupt:
            if distributed.size() == 1:
                self.save()
            raise

    def save(self) -> None:
        """Saves the progress, if there is a folder."""
        if self.folder and distributed.rank() == 0:
            steps, updates = self.within.steps, self.updates
            facts: dict[str, Any] = {"epoch": len(self.history) + (steps > 0), "step": steps}
            facts |= {"history": self.history, "within": asdict(self.within)}
            checkpoint.save(self.folder, facts, updates.weights, updates.average, self.best, updates.tuner)

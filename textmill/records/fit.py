"""How a model was fitted."""

from typing import ClassVar

from textmill.config import Section
from textmill.records.record import Record

HARDLY = 0.15  # of the way from guessing to knowing


class Validation(Section):
    """What an epoch is chosen by, on the validation split."""

    accuracy: float
    f1_macro: float
    log_loss: float


class FittedSeed(Section):
    """One seed's training."""

    seed: int
    epochs: int
    best_epoch: int
    validation: Validation  # of the best epoch


class Learning(Section):
    """What a network's training was like. `learned` is the share of the way that its last training loss went.

    The way leads from the loss of always guessing the classes' shares, 0, to that of knowing every label, 1. `kept` is
    how far the epoch was whose weights are kept, the best one on validation.
    """

    epochs: int  # planned
    updates: int  # made
    batch_documents: float  # in the mean
    learned: float
    kept: float


class Solver(Section):
    """How the optimum of a linear model was looked for: `iterations` are those of the class that took most."""

    iterations: int
    converged: bool


class Pretraining(Section):
    """What a network read before its training; the loss is in nats."""

    epochs: int
    loss: float
    documents: int
    tokens: int


class Fit(Record, Section):
    """The training of the seed that is shipped, and what is each seed's own."""

    FILE: ClassVar = "fit.json"
    STAGE: ClassVar = "train"

    family: str
    tokenizer: str
    threads: int
    processes: int
    parameters: int
    epochs: int
    best_epoch: int
    device: str
    precision: str
    weights: str  # their sha256
    validation: Validation  # mean over all seeds
    seed: int
    seeds: list[FittedSeed]
    pretraining: Pretraining | None
    learning: Learning | None = None  # of a network
    solver: Solver | None = None  # of a linear model

    @property
    def hardly_trained(self) -> bool:
        """Whether the training loss stayed near that of guessing."""
        return self.learning is not None and self.learning.learned <= HARDLY

    @property
    def kept_early(self) -> bool:
        """Whether training went on well, but validation chose an epoch in which it had hardly begun."""
        return self.learning is not None and self.learning.kept <= HARDLY < self.learning.learned

    @property
    def still_improving(self) -> bool:
        """Whether the last epoch of a network was the best one. One alone has none to be better than."""
        return self.learning is not None and self.best_epoch == self.epochs > 1

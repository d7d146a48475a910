"""How a model was trained."""

from typing import ClassVar

from textmill.config import Section
from textmill.records.record import Record

HARDLY = 0.15  # of the way from guessing to knowing every label


class Validation(Section):
    """The validation scores that an epoch is chosen by."""

    accuracy: float
    f1_macro: float
    log_loss: float


class FittedSeed(Section):
    """The training of one seed."""

    seed: int
    epochs: int
    best_epoch: int
    validation: Validation  # of the best epoch


class Learning(Section):
    """How well a network learned. `learned` is the share of the way that its last training loss went.

    The way leads from 0, the loss of always predicting the classes' shares, to 1, the loss of knowing every label.
    `kept` is the same for the epoch whose weights are kept, the best on validation.
    """

    epochs: int  # planned
    updates: int  # made
    batch_documents: float  # on average
    learned: float
    kept: float


class Solver(Section):
    """How the optimum of a linear model was found. `iterations`: of the class that took most."""

    iterations: int
    converged: bool


class Pretraining(Section):
    """What a network read before its training. The loss is in nats."""

    epochs: int
    loss: float
    documents: int
    tokens: int


class Fit(Record, Section):
    """The training of the shipped seed, and the facts of each seed."""

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
        """Whether training went well, but validation chose an epoch in which it had hardly begun."""
        return self.learning is not None and self.learning.kept <= HARDLY < self.learning.learned

    @property
    def still_improving(self) -> bool:
        """Whether a network's last epoch was its best. Not if there was only one epoch."""
        return self.learning is not None and self.best_epoch == self.epochs > 1

"""How a model was fitted."""

from typing import ClassVar

from textmill.config import Section
from textmill.results.record import Record


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

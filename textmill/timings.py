"""How long things took, and where: in git beside the metrics, and hidden from DVC, for both differ from run to run.

Written once for each digest of weights: a rerun with equal bytes leaves the tree as it is, a clone knows how long the
training took that it did not have to do, and `textmill verify` knows what the committed weights were computed by.
"""

import os
from pathlib import Path
from typing import ClassVar

from textmill.config import Section, Sha256
from textmill.environment import Environment, processor
from textmill.errors import ArtifactError
from textmill.records.record import Record


class Timing(Record, Section):
    """In seconds; `started` and `ended` are the system's clock. None: not known."""

    FILE: ClassVar = "timing.json"

    weights: Sha256 | None = None  # of the model that is shipped
    machine: str | None = None  # that trained it
    train_seconds: float | None = None  # of all seeds and of pretraining, the epochs before a resumption too
    pretrain_seconds: float | None = None  # of these, what a network read before its training
    started: float | None = None
    ended: float | None = None
    predict_documents_per_second: float | None = None
    environment: Environment | None = None  # of the training


def note(metrics: Path, weights: str, facts: Timing) -> None:
    """Add to a model's folder of metrics what is not known yet of exactly these weights.

    An environment is only added to what the same machine has noted: two places are not told as one.
    """
    known = recall(metrics, weights)
    given = facts.model_dump(exclude_none=True)
    if None not in (known.machine, facts.machine) and known.machine != facts.machine:
        given.pop("environment", None)
    new = given | known.model_dump(exclude_none=True) | {"weights": weights}
    if (timing := Timing(**new)) != known:
        timing.write(metrics / Timing.FILE)


def recall(metrics: Path, weights: str) -> Timing:
    """What was noted of exactly these weights."""
    known = _read(metrics)
    return known if known.weights == weights else Timing()


def longest_training(metrics: Path) -> float:
    """The seconds that this model's last training took, whatever came of it; infinite where there was none."""
    return _read(metrics).train_seconds or float("inf")


def machine(gpu: str | None = None) -> str:
    """The processor and how many cores of it are used, and the GPU, in words: for people who compare seconds."""
    return ", ".join(filter(None, [processor(), f"{os.cpu_count()} cores", gpu]))


def _read(metrics: Path) -> Timing:
    try:
        return Timing.read(metrics / Timing.FILE)
    except ArtifactError:
        return Timing()

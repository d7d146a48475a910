"""How long things took, and where. In git next to the metrics, but not tracked by DVC, since it varies.

Written once per digest of weights: a rerun with equal bytes leaves the file as it is, a clone knows how long training
took without doing it, and `textmill verify` knows where the committed weights were computed.
"""

import os
from pathlib import Path
from typing import ClassVar

from textmill.config import Section, Sha256
from textmill.environment import Environment, processor
from textmill.errors import ArtifactError
from textmill.records.record import Record


class Timing(Record, Section):
    """Times in seconds; `started` and `ended` are clock times. None: not known."""

    FILE: ClassVar = "timing.json"

    weights: Sha256 | None = None  # of the shipped model
    machine: str | None = None  # that trained the model
    train_seconds: float | None = None  # all seeds and pretraining, including epochs before an interruption
    pretrain_seconds: float | None = None  # the part of train_seconds spent on pretraining
    started: float | None = None
    ended: float | None = None
    predict_documents_per_second: float | None = None
    environment: Environment | None = None  # where it was trained


def record(metrics: Path, weights: str, facts: Timing) -> None:
    """Adds to a model's metrics folder the facts that are not yet known about exactly these weights.

    An environment is added only if the machine is the same, so that two machines are not mixed.
    """
    known = recorded(metrics, weights)
    given = facts.model_dump(exclude_none=True)
    if None not in (known.machine, facts.machine) and known.machine != facts.machine:
        given.pop("environment", None)
    new = given | known.model_dump(exclude_none=True) | {"weights": weights}
    if (timing := Timing(**new)) != known:
        timing.write(metrics / Timing.FILE)


def recorded(metrics: Path, weights: str) -> Timing:
    """Returns what was noted about exactly these weights."""
    known = _read(metrics)
    return known if known.weights == weights else Timing()


def longest_training(metrics: Path) -> float:
    """Returns the seconds of this model's last training, whatever its outcome; infinite if there was none."""
    return _read(metrics).train_seconds or float("inf")


def machine(gpu: str | None = None) -> str:
    """Returns the processor, its number of cores and the GPU in words, for people who compare times."""
    return ", ".join(filter(None, [processor(), f"{os.cpu_count()} cores", gpu]))


def _read(metrics: Path) -> Timing:
    try:
        return Timing.read(metrics / Timing.FILE)
    except ArtifactError:
        return Timing()

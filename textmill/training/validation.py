"""The scores that choose an epoch; `textmill.judging.metrics` has those that choose the champion."""

from collections.abc import Callable

import numpy as np

from textmill import tally
from textmill.training.task import EpochRow

# For each `train.monitor`, the key by which rows of a history are compared; a lower loss decides ties.
GOODNESS: dict[str, Callable[[EpochRow], tuple[float, ...]]] = {
    "accuracy": lambda row: (row["validation_accuracy"], -row["validation_loss"]),
    "f1_macro": lambda row: (row["validation_f1"], -row["validation_loss"]),
    "loss": lambda row: (-row["validation_loss"],),
}


def epoch_scores(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Returns accuracy, macro-F1 and log-loss. probabilities: (N, C); labels: int (N,)."""
    counts = tally.count(labels, probabilities.argmax(1), probabilities.shape[1])
    return {
        "accuracy": float(tally.accuracy(*counts)),
        "f1_macro": float(tally.f1_macro(*counts)),
        "log_loss": tally.log_loss(probabilities, labels),
    }

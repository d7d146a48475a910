"""The few numbers that choose an epoch and a champion; all else is scored once, by `textmill.judging.scoring`."""

from collections.abc import Callable

import numpy as np

# By `train.monitor`, what is compared of two rows of a history; among equals, the less surprised is better.
GOODNESS: dict[str, Callable[[dict[str, float]], tuple[float, ...]]] = {
    "accuracy": lambda row: (row["validation_accuracy"], -row["validation_loss"]),
    "f1_macro": lambda row: (row["validation_f1"], -row["validation_loss"]),
    "loss": lambda row: (-row["validation_loss"],),
}
SMALLEST = 1e-7  # a probability in float32 is not trusted below this


def validate(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Accuracy, macro F1 and log-loss. probabilities: (N, C); labels: int (N,)."""
    classes = probabilities.shape[1]
    predicted = probabilities.argmax(1)
    hits = np.bincount(labels[predicted == labels], minlength=classes)  # (C,)
    sizes = np.bincount(labels, minlength=classes) + np.bincount(predicted, minlength=classes)
    own = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return {
        "accuracy": float(np.mean(predicted == labels)),
        "f1_macro": float(np.mean(2 * hits / np.maximum(sizes, 1))),  # a class that is not there counts as 0
        "log_loss": float(-np.log(np.clip(own, SMALLEST, 1)).mean()),
    }

"""The scores that choose an epoch, from hits and counts; `textmill.judging.metrics` builds on the same arithmetic.

hits: documents of each class that were found; actual, predicted: documents of the class, and answers that name it; each
(..., K).
"""

import numpy as np
from numpy.typing import NDArray

SMALLEST = 1e-7  # a probability in float32 is not trusted below this


def count(
    actual: NDArray[np.int64], predicted: NDArray[np.int64], classes: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """hits, actual and predicted, (K,) each, of class numbers (N,)."""
    each = (actual[actual == predicted], actual, predicted)
    hits, of_class, named = (np.bincount(numbers, minlength=classes) for numbers in each)
    return hits, of_class, named


def accuracy(hits: NDArray, actual: NDArray, predicted: NDArray) -> NDArray[np.float64]:
    """Share of the documents that were found."""
    return hits.sum(-1) / actual.sum(-1)


def f1_macro(hits: NDArray, actual: NDArray, predicted: NDArray) -> NDArray[np.float64]:
    """Mean F1 of the classes that documents have. Answers that name another one lower the F1 of those."""
    there = actual > 0
    each = np.where(there, 2 * hits / np.maximum(actual + predicted, 1), 0)
    return each.sum(-1) / np.maximum(there.sum(-1), 1)


def f1_macro_slopes(hits: NDArray, actual: NDArray, predicted: NDArray) -> NDArray[np.float64]:
    """How `f1_macro` changes with each hit, document and answer of a class: (..., 3, K)."""
    there, both = actual > 0, np.maximum(actual + predicted, 1)
    share = there / np.maximum(there.sum(-1, keepdims=True), 1)
    answer = -2 * hits * share / both**2
    return np.stack([2 * share / both, answer, answer], axis=-2)


def log_loss(probabilities: NDArray, actual: NDArray[np.int64]) -> float:
    """Mean surprise at the truth in nats. probabilities: (N, K); actual: class numbers (N,)."""
    own = probabilities[np.arange(len(actual)), actual].astype(np.float64)
    return float(-np.log(np.clip(own, SMALLEST, 1)).mean())

"""Accuracy, macro-F1 and log-loss, computed from counts, to choose an epoch and to compare models.

For each class, (..., K): hits, the documents that were labelled correctly; actual, the documents of the class;
predicted, the documents that were given the class.
"""

import numpy as np
from numpy.typing import NDArray

SMALLEST = 1e-7  # probabilities in float32 are clipped here


def count(
    actual: NDArray[np.int64], predicted: NDArray[np.int64], classes: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Returns hits, actual and predicted, (K,) each, from class numbers (N,)."""
    each = (actual[actual == predicted], actual, predicted)
    hits, of_class, named = (np.bincount(numbers, minlength=classes) for numbers in each)
    return hits, of_class, named


def accuracy(hits: NDArray, actual: NDArray, predicted: NDArray) -> NDArray[np.float64]:
    """Returns the share of documents that were labelled correctly."""
    return hits.sum(-1) / actual.sum(-1)


def f1_macro(hits: NDArray, actual: NDArray, predicted: NDArray) -> NDArray[np.float64]:
    """Returns the mean F1 of the classes that have documents. Predictions of other classes lower it."""
    there = actual > 0
    each = np.where(there, 2 * hits / np.maximum(actual + predicted, 1), 0)
    return each.sum(-1) / np.maximum(there.sum(-1), 1)


def f1_macro_slopes(hits: NDArray, actual: NDArray, predicted: NDArray) -> NDArray[np.float64]:
    """Returns the derivatives of `f1_macro` by hits, actual and predicted of each class: (..., 3, K)."""
    there, both = actual > 0, np.maximum(actual + predicted, 1)
    share = there / np.maximum(there.sum(-1, keepdims=True), 1)
    answer = -2 * hits * share / both**2
    return np.stack([2 * share / both, answer, answer], axis=-2)


def log_loss(probabilities: NDArray, actual: NDArray[np.int64]) -> float:
    """Returns the mean negative log-likelihood, in nats. probabilities: (N, K); actual: class numbers (N,)."""
    own = probabilities[np.arange(len(actual)), actual].astype(np.float64)
    return float(-np.log(np.clip(own, SMALLEST, 1)).mean())

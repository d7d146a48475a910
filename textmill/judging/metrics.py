"""What models are compared by. A new entry of METRICS is all that a new metric needs, and nothing is trained for it."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from textmill import tally


class Metric(NamedTuple):
    """title: for people, within a sentence. score: of hits, documents and answers by class, (..., K) each, as (...)."""

    title: str
    score: Callable[[NDArray, NDArray, NDArray], NDArray[np.float64]]


METRICS: dict[str, Metric] = {
    "accuracy": Metric("accuracy", tally.accuracy),
    "f1_macro": Metric("macro-F1", tally.f1_macro),
}


def tallies(actual: NDArray, predicted: NDArray, labels: Sequence[str]) -> NDArray[np.float32]:
    """What each document adds to hits, documents and answers by class: (N, 3, K), of labels (N,) str.

    Every metric is a function of the sums over documents. float32 is exact for sums below 2**24.
    """
    names = np.array(labels, dtype=object)
    is_actual, is_predicted = actual[:, None] == names, predicted[:, None] == names  # (N, K)
    return np.stack([is_actual & is_predicted, is_actual, is_predicted], axis=1).astype(np.float32)


def score(metric: str, sums: NDArray) -> NDArray[np.float64]:
    """A metric of summed tallies (..., 3, K), as (...)."""
    return METRICS[metric].score(*np.moveaxis(sums.astype(np.float64), -2, 0))


def mean_scores(runs: Iterable[tuple[NDArray, NDArray]], labels: Sequence[str]) -> dict[str, float]:
    """Every metric as the mean over runs, to 6 digits: of the validation split, what a champion is chosen by.

    runs: labels and predictions of each, (N,) str.
    """
    sums = [tallies(actual, predicted, labels).sum(0) for actual, predicted in runs]
    each = {name: [round(float(score(name, one)), 6) for one in sums] for name in METRICS}
    return {name: round(sum(values) / len(values), 6) for name, values in each.items()}

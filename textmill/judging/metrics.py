"""The metrics that models are compared by: accuracy and macro-F1. A new one needs only an entry in METRICS."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from textmill import tally


class Metric(NamedTuple):
    """A metric. title: its name within a sentence. score: of hits, documents and answers, (..., K) each, as (...).

    by_class: whether all classes weigh the same, however few documents they have. slopes: the derivatives of the score
    by the three, (..., 3, K), for metrics in which rare classes weigh much. They correct intervals of differences when
    classes have few documents (`judging.swaps`).
    """

    title: str
    score: Callable[[NDArray, NDArray, NDArray], NDArray[np.float64]]
    by_class: bool = False
    slopes: Callable[[NDArray, NDArray, NDArray], NDArray[np.float64]] | None = None


METRICS: dict[str, Metric] = {
    "accuracy": Metric("accuracy", tally.accuracy),
    "f1_macro": Metric("macro-F1", tally.f1_macro, True, tally.f1_macro_slopes),
}


def score(metric: str, sums: NDArray) -> NDArray[np.float64]:
    """Returns a metric of the hits, documents and answers by class, (..., 3, K), as (...)."""
    return METRICS[metric].score(*np.moveaxis(sums.astype(np.float64), -2, 0))

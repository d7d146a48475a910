"""What models are compared by. A new entry of METRICS is all that a new metric needs, and nothing is trained for it."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from textmill import tally


class Metric(NamedTuple):
    """title: for people, within a sentence. score: of hits, documents and answers by class, (..., K) each, as (...).

    by_class: whether a class weighs the same however few documents it has.
    slopes: how the score changes with each of the three, (..., 3, K). Of a metric in which rare classes weigh much; it
    makes intervals of differences right where those have few documents (`judging.swaps`).
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
    """A metric of the hits, documents and answers by class, (..., 3, K), as (...)."""
    return METRICS[metric].score(*np.moveaxis(sums.astype(np.float64), -2, 0))

"""A model's score on a split, and how far luck may have moved it: the luck of the documents and that of the seeds."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from textmill.judging import intervals, jackknife
from textmill.judging.intervals import Spread
from textmill.judging.metrics import METRICS, score
from textmill.judging.units import Units


class Judged(NamedTuple):
    """Scores by a metric: `without` is the mean over seeds without each unit, (G,); empty where there is one unit."""

    by_seed: NDArray[np.float64]  # (S,)
    without: NDArray[np.float64]
    doubt: float  # variance that is added for what few documents cannot show

    @property
    def estimate(self) -> float:
        """The mean over seeds."""
        return float(self.by_seed.mean())


def judge(metric: str, actual: NDArray[np.int64], predicted: NDArray[np.int64], classes: int, units: Units) -> Judged:
    """Scores of predictions (S, N) of N documents."""
    nothing = np.zeros(len(actual), np.int64)
    by_seed = [score(metric, jackknife.counted(actual, each, nothing, 1, classes)[0]) for each in predicted]
    doubt = METRICS[metric].doubt(np.bincount(actual, minlength=classes))
    if len(units.sizes) < 2:
        return Judged(np.array(by_seed), np.zeros(0), doubt)
    each_seed = [jackknife.without_each(metric, actual, each, classes, units) for each in predicted]
    return Judged(np.array(by_seed), np.mean(each_seed, axis=0), doubt)


def spread(units: Units, one: Judged, other: Judged | None = None) -> Spread | None:
    """That of a score, or of the difference from another; None where there is one unit, which tells nothing of it."""
    if len(units.sizes) < 2:
        return None
    without = one.without - other.without if other else one.without
    variance = jackknife.variance(without) + one.doubt
    of_seeds = [part for each in (one, other) if each for part in intervals.of_seeds(each.by_seed)]
    return intervals.combined([intervals.of_documents(variance, units), *of_seeds])


def interval(units: Units, judged: Judged, alpha: float) -> tuple[float | None, float | None]:
    """Low and high end of the interval of 1 - alpha of a score, which lies between 0 and 1."""
    found = spread(units, judged)
    if found is None:
        return None, None
    half = intervals.half_width(found, alpha)
    return max(0.0, judged.estimate - half), min(1.0, judged.estimate + half)


def wins(judged: Sequence[Judged], units: Units, seed: int, times: int = 2000) -> list[float]:
    """How often each of the models has the best score, of as many units drawn again; equal ones share a draw.

    A score of drawn units is taken from what each unit adds to it, as the jackknife tells: exact for accuracy of
    documents, and close to it otherwise (Efron 1982, the infinitesimal jackknife).
    """
    count = len(units.sizes)
    if count < 2:
        return [float(number == 0) for number in range(len(judged))]
    adds = np.stack([(each.without.mean() - each.without) * (count - 1) / count for each in judged], axis=1)  # (G, M)
    random, best = np.random.default_rng(seed), np.zeros(len(judged))
    for _ in range(times):
        drawn = np.bincount(random.integers(count, size=count), minlength=count)
        scores = [each.estimate for each in judged] + drawn @ adds
        first = np.round(scores, 9) == np.round(scores, 9).max()
        best += first / first.sum()
    return [round(float(share), 6) for share in best / times]

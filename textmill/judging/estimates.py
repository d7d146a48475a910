"""A model's score on a split, and its variance from the choice of documents and of seeds."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from textmill import tally
from textmill.judging import intervals, jackknife
from textmill.judging.intervals import Spread
from textmill.judging.metrics import METRICS, score
from textmill.judging.units import Units


class Estimate(NamedTuple):
    """Scores by a metric, as they are, and with some `added` documents, for intervals.

    One more correct and one more wrong document keep 20 correct answers of 20, or two models that differ in three
    documents, from looking certain (Agresti & Coull 1998; for pairs, Bonett & Price 2012). For metrics that weigh
    classes equally, they are added for each class.
    """

    by_seed: NDArray[np.float64]  # (S,)
    centre: float  # with the added documents, mean over seeds
    without: NDArray[np.float64]  # the same without each unit, (G,); empty if there is one unit
    without_added: NDArray[np.float64]  # without each added document, (2, A): the correct ones, the wrong ones

    @property
    def mean(self) -> float:
        """The mean over seeds."""
        return float(self.by_seed.mean())


def estimate(
    metric: str, actual: NDArray[np.int64], predicted: NDArray[np.int64], classes: int, units: Units
) -> Estimate:
    """Returns the scores of predictions (S, N) of N documents."""
    sums = np.stack([tally.count(actual, each, classes) for each in predicted])  # (S, 3, K)
    by_seed = score(metric, sums)
    count = len(units.sizes)
    if count < 2:
        return Estimate(by_seed, float(by_seed.mean()), np.zeros(0), np.zeros((2, 0)))
    common, *others = np.argsort(-np.bincount(actual, minlength=classes), kind="stable").tolist()
    own = np.unique(actual) if METRICS[metric].by_class else np.array([common])
    wrong = np.where(own == common, others[0] if others else common, common)
    added, answers = np.concatenate([own, own]), np.concatenate([own, wrong])
    sums = sums + np.stack(tally.count(added, answers, classes))
    alone = count + np.arange(len(added))
    more = Units(np.concatenate([units.of, alone]), np.append(units.sizes, np.ones_like(alone)))
    actual = np.concatenate([actual, added])
    each = zip(sums, (np.concatenate([run, answers]) for run in predicted), strict=True)
    without = np.mean([jackknife.without_each(metric, total, actual, run, more) for total, run in each], axis=0)
    return Estimate(by_seed, float(score(metric, sums).mean()), without[:count], without[count:].reshape(2, -1))


def spread(units: Units, one: Estimate, other: Estimate | None = None) -> Spread | None:
    """Returns the spread of a score, or of its difference from another; None if there is one unit.

    For two models, each added document is correct for one and wrong for the other.
    """
    if len(units.sizes) < 2:
        return None
    without, added = one.without, one.without_added
    if other:
        without, added = without - other.without, added - other.without_added[::-1]
    variance = jackknife.variance(np.concatenate([without, added.ravel()]))
    of_seeds = [part for each in (one, other) if each for part in intervals.of_seeds(each.by_seed)]
    return intervals.combined([intervals.of_documents(variance, units), *of_seeds])


def interval(units: Units, one: Estimate, alpha: float) -> tuple[float | None, float | None]:
    """Returns the low and high end of the interval of 1 - alpha of a score, between 0 and 1."""
    found = spread(units, one)
    if found is None:
        return None, None
    half = intervals.half_width(found, alpha)
    low, high = max(0.0, one.centre - half), min(1.0, one.centre + half)
    return min(low, one.mean), max(high, one.mean)


def wins(estimates: Sequence[Estimate], units: Units, seed: int, times: int = 2000) -> list[float | None]:
    """Returns how often each model has the best score when units are resampled; ties share the win.

    None if there is one unit. Resampled scores are approximated by each unit's contribution from the jackknife: exact
    for accuracy by document, and close otherwise (Efron 1982, the infinitesimal jackknife).
    """
    count = len(units.sizes)
    if count < 2:
        return [None for _ in estimates]
    adds = np.stack(
        [(each.without.mean() - each.without) * (count - 1) / count for each in estimates], axis=1
    )  # (G, M)
    random, best = np.random.default_rng(seed), np.zeros(len(estimates))
    for _ in range(times):
        drawn = np.bincount(random.integers(count, size=count), minlength=count)
        scores = [each.mean for each in estimates] + drawn @ adds
        first = np.round(scores, 9) == np.round(scores, 9).max()
        best += first / first.sum()
    return [round(float(share), 6) for share in best / times]

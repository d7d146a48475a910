"""A model's score on a split, and how far luck may have moved it: the luck of the documents and that of the seeds."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from textmill import tally
from textmill.judging import intervals, jackknife
from textmill.judging.intervals import Spread
from textmill.judging.metrics import METRICS, score
from textmill.judging.units import Units


class Judged(NamedTuple):
    """Scores by a metric, as they are, and those that intervals are made of: with some `added` documents.

    A document more that is right and one that is wrong keep 100 % of twenty documents, or two models that differ in
    three, from being told as sure (Agresti & Coull 1998; of pairs, Bonett & Price 2012). Where each class weighs the
    same it is one more of each class.
    """

    by_seed: NDArray[np.float64]  # (S,)
    centre: float  # with the added documents, mean over seeds
    without: NDArray[np.float64]  # the same without each unit, (G,); empty where there is one unit
    without_added: NDArray[np.float64]  # without each added document, (2, A): the right ones, the wrong ones

    @property
    def estimate(self) -> float:
        """The mean over seeds."""
        return float(self.by_seed.mean())


def judge(metric: str, actual: NDArray[np.int64], predicted: NDArray[np.int64], classes: int, units: Units) -> Judged:
    """Returns the scores of predictions (S, N) of N documents."""
    sums = np.stack([tally.count(actual, each, classes) for each in predicted])  # (S, 3, K)
    by_seed = score(metric, sums)
    count = len(units.sizes)
    if count < 2:
        return Judged(by_seed, float(by_seed.mean()), np.zeros(0), np.zeros((2, 0)))
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
    return Judged(by_seed, float(score(metric, sums).mean()), without[:count], without[count:].reshape(2, -1))


def spread(units: Units, one: Judged, other: Judged | None = None) -> Spread | None:
    """That of a score, or of the difference from another; None where there is one unit, which tells nothing of it.

    Of two models an added document is right by one and wrong by the other.
    """
    if len(units.sizes) < 2:
        return None
    without, added = one.without, one.without_added
    if other:
        without, added = without - other.without, added - other.without_added[::-1]
    variance = jackknife.variance(np.concatenate([without, added.ravel()]))
    of_seeds = [part for each in (one, other) if each for part in intervals.of_seeds(each.by_seed)]
    return intervals.combined([intervals.of_documents(variance, units), *of_seeds])


def interval(units: Units, judged: Judged, alpha: float) -> tuple[float | None, float | None]:
    """Low and high end of the interval of 1 - alpha of a score, which lies between 0 and 1."""
    found = spread(units, judged)
    if found is None:
        return None, None
    half = intervals.half_width(found, alpha)
    low, high = max(0.0, judged.centre - half), min(1.0, judged.centre + half)
    return min(low, judged.estimate), max(high, judged.estimate)


def wins(judged: Sequence[Judged], units: Units, seed: int, times: int = 2000) -> list[float | None]:
    """How often each of the models has the best score, of as many units drawn again; equal ones share a draw.

    None where there is one unit, which tells nothing of it.

    A score of drawn units is taken from what each unit adds to it, as the jackknife tells: exact for accuracy of
    documents, and close to it otherwise (Efron 1982, the infinitesimal jackknife).
    """
    count = len(units.sizes)
    if count < 2:
        return [None for _ in judged]
    adds = np.stack([(each.without.mean() - each.without) * (count - 1) / count for each in judged], axis=1)  # (G, M)
    random, best = np.random.default_rng(seed), np.zeros(len(judged))
    for _ in range(times):
        drawn = np.bincount(random.integers(count, size=count), minlength=count)
        scores = [each.estimate for each in judged] + drawn @ adds
        first = np.round(scores, 9) == np.round(scores, 9).max()
        best += first / first.sum()
    return [round(float(share), 6) for share in best / times]

"""All pairs of models: their differences, and which are significant."""

from collections.abc import Mapping
from itertools import combinations
from math import ceil, comb, log2
from typing import NamedTuple

from textmill.judging.answers import Answers
from textmill.judging.estimates import Estimate, spread
from textmill.judging.intervals import half_width
from textmill.judging.swaps import widening
from textmill.judging.units import Units
from textmill.records.comparison import Pair


class Settings(NamedTuple):
    """How models are compared on a split, and the seed for random draws."""

    metric: str
    classes: int
    units: Units
    alpha: float
    seed: int


def pairs(settings: Settings, estimates: Mapping[str, Estimate], answers: Mapping[str, Answers]) -> list[Pair]:
    """Returns all pairs, in the order of the models.

    All intervals jointly contain the true differences with probability 1 - alpha (Bonferroni). One model is better if
    its interval does not contain 0.
    """
    compared = []
    for a, b in combinations(estimates, 2):
        difference, half = estimates[a].mean - estimates[b].mean, half_width_of(settings, estimates, a, b)
        if half is not None:
            half *= _widening(settings, answers[a], answers[b], len(estimates))
        centre = estimates[a].centre - estimates[b].centre
        sure = half is not None and abs(centre) > half
        pair = Pair(
            a=a,
            b=b,
            difference=round(difference, 6),
            low=None if half is None else round(max(-1.0, centre - half), 6),
            high=None if half is None else round(min(1.0, centre + half), 6),
            least=None if half is None else _least(settings, half, len(estimates)),
            better=(a if centre > 0 else b) if sure else None,
        )
        compared.append(pair)
    return compared


def half_width_of(settings: Settings, estimates: Mapping[str, Estimate], a: str, b: str) -> float | None:
    """Returns half the width of the interval of a difference, by Student's t; None if there is one unit."""
    found = spread(settings.units, estimates[a], estimates[b])
    return None if found is None else half_width(found, settings.alpha / comb(len(estimates), 2))


def least_of(settings: Settings, estimates: Mapping[str, Estimate], a: str, b: str) -> float | None:
    """Returns the smallest significant difference of two models; None if there is one unit."""
    half = half_width_of(settings, estimates, a, b)
    return None if half is None else _least(settings, half, len(estimates))


def _least(settings: Settings, half: float, models: int) -> float:
    """Returns the smallest significant difference, given half an interval's width.

    This is `half`, but at least what an exact test can detect: if two models differ in n documents and all favour one
    of them, p = 2 / 2**n (McNemar 1947).
    """
    documents = ceil(1 - log2(settings.alpha / comb(models, 2)))
    return round(min(1.0, max(half, documents / int(settings.units.sizes.sum()))), 6)


def _widening(settings: Settings, a: Answers, b: Answers, models: int) -> float:
    """Returns the widening for rare classes, from one seed of each model."""
    alpha = settings.alpha / comb(models, 2)
    return widening(
        settings.metric,
        a.actual,
        a.predicted[0],
        b.predicted[0],
        settings.classes,
        settings.units,
        alpha,
        settings.seed,
    )

"""Every pair of models: how far apart they are, and whether that can be told."""

from collections.abc import Mapping
from itertools import combinations
from math import ceil, comb, log2
from typing import NamedTuple

from textmill.judging.answers import Answers
from textmill.judging.intervals import half_width
from textmill.judging.judged import Judged, spread
from textmill.judging.swaps import widening
from textmill.judging.units import Units
from textmill.records.comparison import Pair


class Terms(NamedTuple):
    """By what models are compared on a split, and with which seed for what is drawn."""

    metric: str
    classes: int
    units: Units
    alpha: float
    seed: int


def pairs(terms: Terms, judged: Mapping[str, Judged], answers: Mapping[str, Answers]) -> list[Pair]:
    """All pairs, each model before those that it is set against.

    Their intervals hold all true differences together with probability 1 - alpha (Bonferroni), and the verdict is read
    from them: one is better where 0 lies outside.
    """
    told = []
    for a, b in combinations(judged, 2):
        difference, half = judged[a].estimate - judged[b].estimate, half_width_of(terms, judged, a, b)
        if half is not None:
            half *= _widening(terms, answers[a], answers[b], len(judged))
        centre = judged[a].centre - judged[b].centre
        sure = half is not None and abs(centre) > half
        pair = Pair(
            a=a,
            b=b,
            difference=round(difference, 6),
            low=None if half is None else round(max(-1.0, centre - half), 6),
            high=None if half is None else round(min(1.0, centre + half), 6),
            least=None if half is None else _least(terms, half, len(judged)),
            better=(a if centre > 0 else b) if sure else None,
        )
        told.append(pair)
    return told


def half_width_of(terms: Terms, judged: Mapping[str, Judged], a: str, b: str) -> float | None:
    """Of the interval of the difference of two of the models, by Student's t; None where there is one unit."""
    found = spread(terms.units, judged[a], judged[b])
    return None if found is None else half_width(found, terms.alpha / comb(len(judged), 2))


def least_of(terms: Terms, judged: Mapping[str, Judged], a: str, b: str) -> float | None:
    """The smallest difference of two of the models that could have been told; None where there is one unit."""
    half = half_width_of(terms, judged, a, b)
    return None if half is None else _least(terms, half, len(judged))


def _least(terms: Terms, half: float, models: int) -> float:
    """What could have been told where an interval reaches half to each side.

    That is `half`, but never less than where an exact test can reach alpha: models that agree on nearly all documents
    would be told apart if those that they differ in, n, all spoke for one of them, and p = 2 / 2**n (McNemar 1947).
    """
    documents = ceil(1 - log2(terms.alpha / comb(models, 2)))
    return round(min(1.0, max(half, documents / int(terms.units.sizes.sum()))), 6)


def _widening(terms: Terms, a: Answers, b: Answers, models: int) -> float:
    """What rare classes do to it, by one seed of each."""
    alpha = terms.alpha / comb(models, 2)
    return widening(
        terms.metric, a.actual, a.predicted[0], b.predicted[0], terms.classes, terms.units, alpha, terms.seed
    )

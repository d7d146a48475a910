"""Intervals by Student's t, of a variance that has several sources: the documents, and the seeds of each model."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from textmill.judging.units import Units


class Spread(NamedTuple):
    """A variance, and its degrees of freedom."""

    variance: float
    freedom: float


def of_documents(variance: float, units: Units) -> Spread:
    """What the choice of documents does: its freedom is that of the effective units."""
    return Spread(variance, units.effective - 1)


def of_seeds(scores: NDArray[np.float64]) -> list[Spread]:
    """What the luck of the seeds does to the mean of their scores (S,): nothing that one seed could tell."""
    seeds = len(scores)
    return [Spread(float(scores.var(ddof=1)) / seeds, seeds - 1)] if seeds > 1 else []


def combined(parts: Sequence[Spread]) -> Spread:
    """The sum of independent variances, with the freedom of Satterthwaite 1946."""
    total = sum(part.variance for part in parts)
    return Spread(total, total**2 / sum(part.variance**2 / part.freedom for part in parts) if total else np.inf)


def half_width(spread: Spread, alpha: float) -> float:
    """How far an interval of 1 - alpha reaches to each side."""
    from scipy.special import stdtrit

    return float(stdtrit(spread.freedom, 1 - alpha / 2)) * spread.variance**0.5


def chance(difference: float, spread: Spread) -> float:
    """How often luck alone makes a difference this large, to either side."""
    from scipy.special import stdtr

    return 2 * float(stdtr(spread.freedom, -abs(difference) / spread.variance**0.5)) if spread.variance else 0.0

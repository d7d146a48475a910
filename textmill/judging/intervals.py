"""Intervals by Student's t, for a variance with several sources: the documents, and the seeds of each model."""

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
    """Returns the spread from the choice of documents. Its degrees of freedom are those of the effective units."""
    return Spread(variance, units.effective - 1)


def of_seeds(scores: NDArray[np.float64]) -> list[Spread]:
    """Returns the spread of the mean of seeds' scores (S,); none for one seed."""
    seeds = len(scores)
    return [Spread(float(scores.var(ddof=1)) / seeds, seeds - 1)] if seeds > 1 else []


def combined(parts: Sequence[Spread]) -> Spread:
    """Returns the sum of independent variances, with degrees of freedom by Satterthwaite 1946."""
    total = sum(part.variance for part in parts)
    return Spread(total, total**2 / sum(part.variance**2 / part.freedom for part in parts) if total else np.inf)


def half_width(spread: Spread, alpha: float) -> float:
    """Returns half the width of an interval of 1 - alpha."""
    from scipy.special import stdtrit

    return float(stdtrit(spread.freedom, 1 - alpha / 2)) * spread.variance**0.5


def p_value(difference: float, spread: Spread) -> float:
    """Returns the two-sided p-value of a difference."""
    from scipy.special import stdtr

    return 2 * float(stdtr(spread.freedom, -abs(difference) / spread.variance**0.5)) if spread.variance else 0.0

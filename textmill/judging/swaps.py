"""A randomisation test for differences of two models, for metrics where rare classes make Student's t too narrow.

If two models are equally good, their answers can be swapped in any unit. Each set of swaps gives a difference and its
standard error; the quantile of their ratio replaces Student's. Source: randomisation tests, Noreen 1989; divided by the
standard error, so that models with equal scores may err differently, Janssen 1997; Chung & Romano 2013.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from textmill.judging.metrics import METRICS, score
from textmill.judging.units import Units

if TYPE_CHECKING:
    from scipy.sparse import csr_array

SWAPS = 2000
BEYOND = 10  # swaps that must lie beyond a quantile to estimate it
BLOCK = 1_000_000  # swaps x patterns held at once


def widening(
    metric: str, actual: NDArray[np.int64], a: NDArray, b: NDArray, classes: int, units: Units, alpha: float, seed: int
) -> float:
    """Returns the factor for Student's quantile of 1 - alpha, for the difference of a and b; 1 for accuracy.

    actual, a, b: class numbers (N,). For quantiles beyond what the swaps can estimate, it is the factor of the last
    one.
    """
    if METRICS[metric].slopes is None or not (a != b).any():
        return 1.0
    from scipy.special import stdtrit

    ratios = np.sort(np.abs(studentised(metric, *patterns(actual, a, b, classes, units), classes, seed)))
    beyond = max(BEYOND, round(alpha * SWAPS))
    return float(ratios[-beyond] / stdtrit(units.effective - 1, 1 - beyond / SWAPS / 2))


def patterns(
    actual: NDArray[np.int64], a: NDArray, b: NDArray, classes: int, units: Units
) -> tuple["csr_array", "csr_array", NDArray[np.int64]]:
    """Returns hits, documents and answers by class of each kind of unit, (C, 3K), for a and b, and kinds' sizes (C,).

    Documents are of the same kind if the label and both predictions are equal, whichever model made which.
    """
    from scipy.sparse import csr_array

    of, times = units.of, np.ones(len(units.sizes), dtype=np.int64)
    if len(units.sizes) == len(actual):
        code = (actual * classes + np.minimum(a, b)) * classes + np.maximum(a, b)
        kinds, times = np.unique(code, return_counts=True)
        actual, a, b = kinds // classes**2, kinds // classes % classes, kinds % classes
        of = np.arange(len(kinds))

    def tallied(answers: NDArray[np.int64]) -> "csr_array":
        hit = answers == actual
        rows = np.concatenate([of[hit], of, of])
        columns = np.concatenate([actual[hit], classes + actual, 2 * classes + answers])
        return csr_array((np.ones(len(rows)), (rows, columns)), shape=(len(times), 3 * classes))

    return tallied(a), tallied(b), times


def studentised(
    metric: str, a: "csr_array", b: "csr_array", times: NDArray[np.int64], classes: int, seed: int
) -> NDArray[np.float64]:
    """Returns differences divided by their standard errors, for SWAPS swaps: (SWAPS,). a, b, times: from `patterns`."""
    slopes = METRICS[metric].slopes
    assert slopes
    random, found = np.random.default_rng(seed), []
    step = max(1, BLOCK // len(times))
    for start in range(0, SWAPS, step):
        here = min(step, SWAPS - start)
        kept = random.binomial(times, 0.5, size=(here, len(times))).astype(np.float64)
        given = times - kept
        sums = [
            first @ one + second @ other for first, second, one, other in ((kept, given, a, b), (given, kept, a, b))
        ]
        shaped = [each.reshape(here, 3, classes) for each in sums]
        towards = [slopes(*np.moveaxis(each, 1, 0)).reshape(here, 3 * classes) for each in shaped]
        as_is = towards[0] @ a.T - towards[1] @ b.T  # each kind's contribution to the difference, (here, C)
        swapped = towards[0] @ b.T - towards[1] @ a.T
        error = np.sqrt((kept * as_is**2 + given * swapped**2).sum(1))
        difference = score(metric, shaped[0]) - score(metric, shaped[1])
        found.append(np.divide(difference, error, out=np.zeros(here), where=error > 0))
    return np.concatenate(found)

"""How far a difference of two models reaches that only differ by luck, where rare classes make Student's t too narrow.

If the models are equally good, the answers of both could change hands at any unit. Each swap gives a difference and its
standard error; their ratio's quantile takes the place of Student's. Source: randomisation tests, Noreen 1989; divided
by its standard error so that models may err differently and be equal by the metric, Janssen 1997; Chung & Romano 2013.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from textmill.judging.metrics import METRICS, score
from textmill.judging.units import Units

if TYPE_CHECKING:
    from scipy.sparse import csr_array

SWAPS = 2000
BEYOND = 10  # swaps that must lie beyond a quantile for it to be told
BLOCK = 1_000_000  # swaps x patterns held at once


def widening(
    metric: str, actual: NDArray[np.int64], a: NDArray, b: NDArray, classes: int, units: Units, alpha: float, seed: int
) -> float:
    """By what Student's quantile of 1 - alpha is to be multiplied for the difference of a and b; 1 for accuracy.

    actual, a, b: class numbers (N,). Deeper than the swaps can tell, the factor is that of the deepest quantile.
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
    """Hits, documents and answers by class, (C, 3K), of a and of b in each kind of unit, and how many of a kind (C,).

    Documents are of one kind where label and both answers are the same, whoever gave which.
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
    """Differences over their standard errors, of SWAPS swaps: (SWAPS,). a, b, times: of `patterns`."""
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
        as_is = towards[0] @ a.T - towards[1] @ b.T  # what a unit of each kind adds to the difference, (here, C)
        swapped = towards[0] @ b.T - towards[1] @ a.T
        error = np.sqrt((kept * as_is**2 + given * swapped**2).sum(1))
        difference = score(metric, shaped[0]) - score(metric, shaped[1])
        found.append(np.divide(difference, error, out=np.zeros(here), where=error > 0))
    return np.concatenate(found)

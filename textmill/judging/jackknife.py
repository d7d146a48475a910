"""The jackknife: how much a score depends on the documents, from its values without each unit of them.

Source: Efron & Stein 1981; for groups see Miller 2024 (arXiv 2411.00640).
"""

import numpy as np
from numpy.typing import NDArray

from textmill.judging.metrics import score
from textmill.judging.units import Units

BLOCK = 4_000_000  # numbers held at once: 32 MB


def counted(actual: NDArray[np.int64], predicted: NDArray[np.int64], of: NDArray, units: int, classes: int) -> NDArray:
    """Returns hits, documents and answers by class of each unit: float64 (units, 3, K). actual, predicted, of: (N,)."""
    hit = actual == predicted
    sides = ((of[hit], actual[hit]), (of, actual), (of, predicted))
    each = [np.bincount(unit * classes + number, minlength=units * classes) for unit, number in sides]
    return np.stack([column.reshape(units, classes) for column in each], axis=1).astype(np.float64)


def without_each(
    metric: str, total: NDArray[np.int64], actual: NDArray[np.int64], predicted: NDArray[np.int64], units: Units
) -> NDArray[np.float64]:
    """Returns the score of all documents except those of each unit, (G,).

    total: hits, documents and answers by class, (3, K). actual, predicted: class numbers (N,).
    Raises ValueError if there are fewer than two units.
    """
    if len(units.sizes) < 2:
        raise ValueError("nothing is left without the only unit")
    of, classes = units.of, total.shape[-1]
    inverse: NDArray[np.int64] | slice = slice(None)
    if len(units.sizes) == len(actual):  # equal pairs of label and prediction have equal effects
        order = np.argsort(of)
        cells, inverse = np.unique((actual * classes + predicted)[order], return_inverse=True)
        actual, predicted, of = cells // classes, cells % classes, np.arange(len(cells))
    else:
        order = np.argsort(of, kind="stable")
        actual, predicted, of = actual[order], predicted[order], of[order]
    found, step = [], max(1, BLOCK // (3 * classes))
    for start in range(0, int(of[-1]) + 1, step):
        rows = slice(*np.searchsorted(of, [start, start + step]))
        here = min(step, int(of[-1]) + 1 - start)
        found.append(score(metric, total - counted(actual[rows], predicted[rows], of[rows] - start, here, classes)))
    return np.concatenate(found)[inverse]


def variance(without: NDArray[np.float64]) -> float:
    """Returns the variance of a score or difference, given its values without each unit (G,)."""
    units = len(without)
    return float((units - 1) / units * ((without - without.mean()) ** 2).sum())

"""What a split holds that is independent of the rest: documents, or those together that it keeps on one side.

These are documents with equal texts, and with `split.by: group` those of a group.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Units(NamedTuple):
    """The unit of each document, and how many documents each unit has."""

    of: NDArray[np.int64]  # (N,), from 0 to G - 1
    sizes: NDArray[np.int64]  # (G,)

    @property
    def effective(self) -> float:
        """How many units of equal size would tell as much: (sum n)^2 / sum n^2 (Kish 1965)."""
        return float(self.sizes.sum() ** 2 / (self.sizes.astype(np.float64) ** 2).sum())


def units_of(numbers: NDArray[np.int64]) -> Units:
    """The units of documents (N,): equal numbers are one."""
    _, of, sizes = np.unique(numbers, return_inverse=True, return_counts=True)
    return Units(of, sizes)

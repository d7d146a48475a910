"""The independent units of a split: documents, or sets of documents that it keeps together.

Such a set has documents with equal texts or, with `split.by: group`, documents of the same group.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Units(NamedTuple):
    """The unit of each document, and each unit's number of documents."""

    of: NDArray[np.int64]  # (N,), from 0 to G - 1
    sizes: NDArray[np.int64]  # (G,)

    @property
    def effective(self) -> float:
        """How many units of equal size would carry as much information: (sum n)^2 / sum n^2 (Kish 1965)."""
        return float(self.sizes.sum() ** 2 / (self.sizes.astype(np.float64) ** 2).sum())


def units_of(numbers: NDArray[np.int64]) -> Units:
    """Returns the units of documents (N,): documents with equal numbers are one unit."""
    _, of, sizes = np.unique(numbers, return_inverse=True, return_counts=True)
    return Units(of, sizes)

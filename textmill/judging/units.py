"""What a split holds that is independent of the rest: a document, or a group of them where groups stay together."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Units(NamedTuple):
    """The unit of each document, and how many documents each unit has."""

    of: NDArray[np.int64]  # (N,), from 0 to G - 1
    sizes: NDArray[np.int64]  # (G,)
    grouped: bool = False

    @property
    def effective(self) -> float:
        """How many units of equal size would tell as much: (sum n)^2 / sum n^2 (Kish 1965)."""
        return float(self.sizes.sum() ** 2 / (self.sizes.astype(np.float64) ** 2).sum())


def documents(rows: int) -> Units:
    """Every document is a unit."""
    return Units(np.arange(rows), np.ones(rows, dtype=np.int64))


def groups(numbers: NDArray[np.int64]) -> Units:
    """Every group is a unit, and every document that is in none. numbers: (N,), -1 for those."""
    alone = numbers < 0
    own = np.where(alone, numbers.max(initial=-1) + 1 + np.arange(len(numbers)), numbers)
    _, of, sizes = np.unique(own, return_inverse=True, return_counts=True)
    return Units(of, sizes, grouped=True)

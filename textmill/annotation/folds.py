"""Parts of all documents that take turns in being left out."""

import numpy as np

from textmill.rows.splits import cut


def folds(pieces: np.ndarray, classes: np.ndarray, parts: int, rng: np.random.Generator) -> np.ndarray:
    """The part of each document, 0 to parts - 1, int (N,): whole pieces, classes as even as these allow.

    pieces, classes: int (N,), as for `cut`, which takes a part at a time from those that are left.
    """
    fold = np.full(len(pieces), parts - 1)
    left = np.arange(len(pieces))
    for number in range(parts - 1):
        if not len(left):
            break
        aside = cut(pieces[left], classes[left], 1 / (parts - number), rng)
        fold[left[aside]] = number
        left = left[~aside]
    return fold

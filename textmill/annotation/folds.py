"""Folds for cross-validation that keep pieces together."""

import numpy as np

from textmill.rows.splits import split_off


def folds(pieces: np.ndarray, classes: np.ndarray, parts: int, rng: np.random.Generator) -> np.ndarray:
    """Returns the fold of each document, 0 to parts - 1, int (N,): whole pieces, with classes as even as these allow.

    pieces, classes: int (N,), as for `split_off`, which takes one fold at a time from the remaining documents.
    """
    fold = np.full(len(pieces), parts - 1)
    left = np.arange(len(pieces))
    for number in range(parts - 1):
        if not len(left):
            break
        aside = split_off(pieces[left], classes[left], 1 / (parts - number), rng)
        fold[left[aside]] = number
        left = left[~aside]
    return fold

"""Documents that stay together, and parts of all that take turns in being left out."""

from collections.abc import Iterable

import numpy as np
import polars as pl

from textmill.rows.splits import cut, outline, together


def pieces(parts: Iterable[pl.DataFrame], labels: list[str], by: str) -> np.ndarray:
    """A number for each document, int (N,), equal where it stays together with others, as of `rows.splits.together`.

    parts: text, label and group of the documents, in their order.
    """
    return together(pl.concat(outline(some.with_columns(split=pl.lit(None, pl.String)), labels) for some in parts), by)


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

"""Corrects the size of a split where rounding each class on its own has added up."""

import numpy as np

SLACK = 0.005  # of the rows: how far a split's size may be off


def even_out(
    aside: np.ndarray, pieces: np.ndarray, classes: np.ndarray, share: float, rng: np.random.Generator
) -> np.ndarray:
    """Returns `aside`, bool (N,), with whole pieces moved until it holds about `share` of all rows.

    pieces, classes: int (N,). For example, 105 classes of 3 rows each put aside 1 row per class for a share of 0.2: a
    third of all rows. The classes with the largest excess (or shortfall) change first, equal ones in random order. Each
    stays within one row of its share, or as close as it was, and keeps a row that is not aside. Within SLACK nothing
    changes.
    """
    off = aside.sum() - share * len(aside)
    if abs(off) <= max(1, SLACK * len(aside)):
        return aside
    _, first, piece, sizes = np.unique(pieces, return_index=True, return_inverse=True, return_counts=True)
    _, kind = np.unique(classes, return_inverse=True)
    own = kind[first]  # the class of each piece, if its rows have one class
    mixed = np.zeros(len(sizes), bool)
    np.logical_or.at(mixed, piece, kind != own[piece])
    over, sign = off > 0, 1 if off > 0 else -1
    total, held, moved = np.bincount(kind), np.bincount(kind[aside], minlength=kind.max() + 1), aside[first].copy()
    excess = sign * (held - share * total)
    able = rng.permutation(np.flatnonzero(~mixed & (moved == over)))
    for number in able[np.argsort(-excess[own[able]], kind="stable")].tolist():
        rows, c = int(sizes[number]), own[number]
        left = total[c] - held[c] - (0 if over else rows)
        if rows < 2 * sign * off and abs(excess[c] - rows) < max(1, abs(excess[c])) and left > 0:
            moved[number] = not over
            held[c] -= sign * rows
            excess[c] -= rows
            off -= sign * rows
    return moved[piece]

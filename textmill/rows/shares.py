"""What rounding each class by itself does to the size of a split, mended where it adds up."""

import numpy as np

SLACK = 0.005  # of the rows: what a split may be too large or too small


def even_out(
    aside: np.ndarray, pieces: np.ndarray, classes: np.ndarray, share: float, rng: np.random.Generator
) -> np.ndarray:
    """`aside`, bool (N,), with whole pieces moved until it holds `share` of all rows, as nearly as the pieces allow.

    pieces, classes: int (N,). 105 classes of 3 rows each put 1 row of each aside for a share of 0.2, a third of all.
    Classes that have most too many (or too few) there give first, by lot among equals; each stays within a row of its
    share, or as near as it was, and keeps a row that is not aside. Nothing changes where all is within SLACK.
    """
    off = aside.sum() - share * len(aside)
    if abs(off) <= max(1, SLACK * len(aside)):
        return aside
    _, first, piece, sizes = np.unique(pieces, return_index=True, return_inverse=True, return_counts=True)
    _, kind = np.unique(classes, return_inverse=True)
    own = kind[first]  # the class of each piece, if all its rows have it
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

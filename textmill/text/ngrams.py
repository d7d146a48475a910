"""Counts and weights of n-grams, with numpy alone: the input of a linear model, without scipy's sparse matrices."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from textmill.text.ragged import UNK, Ragged


class Counts(NamedTuple):
    """A sparse table of N documents by F n-grams with E non-zero numbers, sorted by column, then by row."""

    data: np.ndarray  # float64 (E,)
    rows: np.ndarray  # document of each number, int32 (E,)
    columns: np.ndarray  # n-gram of each number, int32 (E,)
    shape: tuple[int, int]  # N, F

    def per_column(self) -> np.ndarray:
        """Returns how many documents contain each n-gram, int64 (F,)."""
        return np.bincount(self.columns, minlength=self.shape[1])

    def per_row(self, numbers: np.ndarray) -> np.ndarray:
        """Returns the sum of `numbers` (E,) over each document, float64 (N,), added from left to right."""
        return np.bincount(self.rows, numbers, minlength=self.shape[0])

    def times(self, weights: np.ndarray) -> np.ndarray:
        """Returns the product with R rows of weights (R, F), float64 (N, R). Only the weights needed are read."""
        return np.stack([self.per_row(self.data * row[self.columns]) for row in weights], 1)


def grams(docs: Ragged, order: int, vocabulary: int) -> tuple[np.ndarray, Counts]:
    """Counts n-grams of known ids: returns the different ones as sorted keys, int64 (D,), and their counts (N, D).

    A key is a number whose digits to the base `vocabulary` are the ids; three ids below 2 million fit in an int64.
    One sort of (key, document) pairs groups equal n-grams and orders their documents.
    """
    rows = np.repeat(np.arange(len(docs)), docs.lengths)
    last = max(len(rows) - order + 1, 0)
    whole = rows[:last] == rows[order - 1 :]  # within one document
    key = np.zeros(last, np.int64)
    for shift in range(order):
        ids = docs.ids[shift : last + shift]
        whole &= ids != UNK
        key *= vocabulary
        key += ids
    key, rows, known = key[whole], rows[:last][whole], None
    if vocabulary**order * len(docs) > np.iinfo(np.int64).max:  # the pair would not fit
        known, key = np.unique(key, return_inverse=True)
    pairs = key * len(docs)
    pairs += rows
    pairs.sort()
    first = np.flatnonzero(np.diff(pairs, prepend=-1))  # where each different pair begins
    key, rows = np.divmod(pairs[first], len(docs))
    new = np.diff(key, prepend=-1) != 0  # whether a pair is the first with its key
    keys = key[new]
    counts = np.diff(first, append=len(pairs)).astype(np.float64)
    columns = np.cumsum(new, dtype=np.int32) - np.int32(1)
    table = Counts(counts, rows.astype(np.int32), columns, (len(docs), len(keys)))
    return keys if known is None else known[keys], table


def count(docs: Ragged, keys: Sequence[np.ndarray], vocabulary: int) -> Counts:
    """Returns how often each document contains each n-gram of `keys`, (N, F), one order after another.

    keys: for each order, from 1 on, its sorted keys.
    """
    tables = []
    for order, known in enumerate(keys, 1):
        found, table = grams(docs, order, vocabulary)
        place = np.searchsorted(known, found)
        unknown = known.take(place, mode="clip") != found if len(known) else slice(None)
        place[unknown] = -1
        tables.append(select_columns(table, place, len(known)))
    return side_by_side(tables)


def select_columns(table: Counts, place: np.ndarray, width: int) -> Counts:
    """Returns the table with its columns moved to `place` (F,), ascending; columns at -1 are dropped.

    width: the number of columns of the result.
    """
    columns = place.astype(np.int32)[table.columns]
    kept = columns >= 0
    return Counts(table.data[kept], table.rows[kept], columns[kept], (table.shape[0], width))


def side_by_side(tables: Sequence[Counts]) -> Counts:
    """Joins tables of the same documents into one, column-wise."""
    widths = [table.shape[1] for table in tables]
    starts = np.cumsum([0, *widths[:-1]], dtype=np.int32)
    data, rows = (np.concatenate([getattr(table, name) for table in tables]) for name in ("data", "rows"))
    columns = np.concatenate([table.columns + start for table, start in zip(tables, starts, strict=True)])
    return Counts(data, rows, columns, (tables[0].shape[0], sum(widths)))


def weigh(counts: Counts, scale: np.ndarray, weighting: str) -> Counts:
    """Returns weighted counts. nb: 1 if present. tfidf: counts times `scale`, each document scaled to length 1."""
    if weighting == "nb":
        return counts._replace(data=np.ones(len(counts.data)))
    weighted = scaled(counts, scale)
    return weighted._replace(data=weighted.data / np.sqrt(weighted.per_row(weighted.data**2))[weighted.rows])


def scaled(features: Counts, scale: np.ndarray) -> Counts:
    """Returns each column multiplied by its scale (F,)."""
    return features._replace(data=features.data * scale[features.columns])

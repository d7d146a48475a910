"""n-grams of ids, counted and weighed by numpy alone: what a linear model reads, without scipy's tables."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from textmill.text.ragged import UNK, Ragged


class Counts(NamedTuple):
    """E numbers of a table of N documents by F n-grams, all others 0: column after column, each from the top."""

    data: np.ndarray  # float64 (E,)
    rows: np.ndarray  # documents, int32 (E,)
    columns: np.ndarray  # n-grams, int32 (E,)
    shape: tuple[int, int]  # N, F

    def per_column(self) -> np.ndarray:
        """How many documents hold each n-gram: int64 (F,)."""
        return np.bincount(self.columns, minlength=self.shape[1])

    def per_row(self, numbers: np.ndarray) -> np.ndarray:
        """The sum over each document of numbers (E,), float64 (N,), added from left to right."""
        return np.bincount(self.rows, numbers, minlength=self.shape[0])

    def times(self, weights: np.ndarray) -> np.ndarray:
        """The product with R rows of weights (R, F): float64 (N, R). Only weights that count are read."""
        return np.stack([self.per_row(self.data * row[self.columns]) for row in weights], 1)


def grams(docs: Ragged, order: int, vocabulary: int) -> tuple[np.ndarray, Counts]:
    """The different n-grams of known ids as sorted keys, int64 (D,), and how often each document holds each, (N, D).

    A key is the ids read as digits to the base `vocabulary`; three ids below 2 million fit an int64. One sort of
    (key, document) brings equal n-grams together, and documents in order.
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
    first = np.flatnonzero(np.diff(pairs, prepend=-1))  # of each different pair
    key, rows = np.divmod(pairs[first], len(docs))
    new = np.diff(key, prepend=-1) != 0  # whether a pair is the first of its key
    keys = key[new]
    counts = np.diff(first, append=len(pairs)).astype(np.float64)
    columns = np.cumsum(new, dtype=np.int32) - np.int32(1)
    table = Counts(counts, rows.astype(np.int32), columns, (len(docs), len(keys)))
    return keys if known is None else known[keys], table


def count(docs: Ragged, keys: Sequence[np.ndarray], vocabulary: int) -> Counts:
    """How often each document holds each n-gram of `keys` (sorted, by order): (N, F), the orders side by side."""
    tables = []
    for order, known in enumerate(keys, 1):
        found, table = grams(docs, order, vocabulary)
        place = np.searchsorted(known, found)
        unknown = known.take(place, mode="clip") != found if len(known) else slice(None)
        place[unknown] = -1
        tables.append(chosen(table, place, len(known)))
    return side_by_side(tables)


def chosen(table: Counts, place: np.ndarray, width: int) -> Counts:
    """A table of `width` columns, in which each column has a new place, ascending, (F,); those at -1 are left out."""
    columns = place.astype(np.int32)[table.columns]
    kept = columns >= 0
    return Counts(table.data[kept], table.rows[kept], columns[kept], (table.shape[0], width))


def side_by_side(tables: Sequence[Counts]) -> Counts:
    """Tables of the same documents as one."""
    widths = [table.shape[1] for table in tables]
    starts = np.cumsum([0, *widths[:-1]], dtype=np.int32)
    data, rows = (np.concatenate([getattr(table, name) for table in tables]) for name in ("data", "rows"))
    columns = np.concatenate([table.columns + start for table, start in zip(tables, starts, strict=True)])
    return Counts(data, rows, columns, (tables[0].shape[0], sum(widths)))


def weigh(counts: Counts, scale: np.ndarray, weighting: str) -> Counts:
    """nb: presence. tfidf: counts times `scale`, each document brought to length 1."""
    if weighting == "nb":
        return counts._replace(data=np.ones(len(counts.data)))
    weighted = scaled(counts, scale)
    return weighted._replace(data=weighted.data / np.sqrt(weighted.per_row(weighted.data**2))[weighted.rows])


def scaled(features: Counts, scale: np.ndarray) -> Counts:
    """Every column times its scale (F,)."""
    return features._replace(data=features.data * scale[features.columns])

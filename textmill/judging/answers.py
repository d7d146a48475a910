"""A model's answers for the documents of one split, as numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from textmill.text.encoding import classes

COLUMNS = ["id", "label", "prediction", "unit"]  # of a table of predictions


@dataclass(frozen=True)
class Answers:
    """Labels and predictions of N documents by S seeds, in ascending order."""

    ids: pl.Series  # (N,) str
    actual: NDArray[np.int64]  # (N,) class numbers
    predicted: NDArray[np.int64]  # (S, N)
    unit: NDArray[np.int64]  # (N,), equal for documents that the split keeps together


def answers(tables: Mapping[int, pl.DataFrame], labels: Sequence[str]) -> Answers:
    """Returns the answers in tables of predictions by seed, which all have the same documents in the same order."""
    first = next(iter(tables.values()))
    names = list(labels)
    return Answers(
        first["id"],
        classes(first["label"], names),
        np.stack([classes(table["prediction"], names) for _, table in sorted(tables.items())]),
        first["unit"].to_numpy(),
    )

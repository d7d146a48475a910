"""What a model says of the documents of one split, as numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from textmill.text.encoding import classes

COLUMNS = ["id", "label", "prediction", "unit"]  # of a table of predictions


@dataclass(frozen=True)
class Answers:
    """Labels and answers of N documents by S seeds, which ascend."""

    ids: pl.Series  # (N,) str
    actual: NDArray[np.int64]  # (N,) class numbers
    predicted: NDArray[np.int64]  # (S, N)
    unit: NDArray[np.int64]  # (N,), equal where the split keeps documents together


def answers(tables: Mapping[int, pl.DataFrame], labels: Sequence[str]) -> Answers:
    """Those of tables of predictions by seed, all of the same documents in the same order."""
    first = next(iter(tables.values()))
    names = list(labels)
    return Answers(
        first["id"],
        classes(first["label"], names),
        np.stack([classes(table["prediction"], names) for _, table in sorted(tables.items())]),
        first["unit"].to_numpy(),
    )

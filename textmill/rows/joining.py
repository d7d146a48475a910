"""Joins several columns into one text, the same way for training and predicting."""

from collections.abc import Sequence

import polars as pl


def joined(columns: Sequence[str]) -> pl.Expr:
    """Returns the texts of these columns on separate lines, without blank ones; a single column as it is."""
    if len(columns) == 1:
        return pl.col(columns[0])
    filled = [pl.when(pl.col(name).str.strip_chars() != "").then(pl.col(name)) for name in columns]
    return pl.concat_str(filled, separator="\n", ignore_nulls=True)

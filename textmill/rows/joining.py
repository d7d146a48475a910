"""One text of several columns, the same for training and for predicting."""

from collections.abc import Sequence

import polars as pl


def joined(columns: Sequence[str]) -> pl.Expr:
    """The texts of these columns, one below the other; those that are blank are left out. One alone stays as it is."""
    if len(columns) == 1:
        return pl.col(columns[0])
    filled = [pl.when(pl.col(name).str.strip_chars() != "").then(pl.col(name)) for name in columns]
    return pl.concat_str(filled, separator="\n", ignore_nulls=True)

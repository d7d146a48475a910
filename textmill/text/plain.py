"""Lower-casing and splitting at spaces with polars alone: used without pyarrow, and to test the fast version."""

import numpy as np
import polars as pl


def lowered(strings: pl.Series) -> pl.Series:
    """Returns the strings with all letters in lower case."""
    return strings.str.to_lowercase()


def split_at_spaces(texts: pl.Series, lowercase: bool) -> tuple[pl.Series, np.ndarray]:
    """Splits texts at each space: returns the strings (P,) and the number of strings in each text, int64 (N,)."""
    lists = (lowered(texts) if lowercase else texts).str.split(" ")
    return lists.explode(empty_as_null=False), lists.list.len().to_numpy().astype(np.int64)

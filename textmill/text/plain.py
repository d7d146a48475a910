"""Lower case and cutting by polars alone, where there is no pyarrow: what the fast way is held against, too."""

import numpy as np
import polars as pl


def lowered(strings: pl.Series) -> pl.Series:
    """All letters in lower case."""
    return strings.str.to_lowercase()


def cut(texts: pl.Series, lowercase: bool) -> tuple[pl.Series, np.ndarray]:
    """Texts cut at each space, in lower case if asked: strings (P,), and how many each text has, int64 (N,)."""
    lists = (lowered(texts) if lowercase else texts).str.split(" ")
    return lists.explode(empty_as_null=False), lists.list.len().to_numpy().astype(np.int64)

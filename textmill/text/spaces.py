"""Spaces, tabs and line breaks, for tokenizers that read them."""

from typing import Literal

import polars as pl

# collapse: spaces, tabs and line breaks in a row become one space, and none is left at either end.
Spaces = Literal["keep", "collapse"]


def collapsed(texts: pl.Series, spaces: Spaces) -> pl.Series:
    """Returns the texts with their spaces as `spaces` says."""
    return texts.str.replace_all(r"\s+", " ").str.strip_chars(" ") if spaces == "collapse" else texts

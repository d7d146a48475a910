"""Lower-casing and splitting at spaces with arrow's kernels: the fast version of `textmill.text.plain`."""

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

SPACE = ord(" ")


def lowered(strings: pl.Series) -> pl.Series:
    """Returns the strings with ASCII letters in lower case, in a quarter of polars' time. Other letters stay."""
    return _series(pc.ascii_lower(_flat(strings)))


def split_at_spaces(texts: pl.Series, lowercase: bool) -> tuple[pl.Series, np.ndarray]:
    """Splits texts before each space: returns the strings (P,) and the number of strings in each text, int64 (N,).

    lowercase: whether to lower-case ASCII letters.
    Arrow stores the bytes of all texts in one buffer and the offset where each text begins. Splitting only adds
    offsets, which takes two thirds of the time of `str.split`.
    """
    found = pc.ascii_lower(_flat(texts)) if lowercase else _flat(texts)
    _, offsets, characters = found.buffers()
    texts_begin = np.frombuffer(offsets, np.int64, len(texts) + 1)  # the last one is the end of the last text
    flat = np.frombuffer(characters, np.int8, texts_begin[-1])
    begins = np.empty(len(flat) + 1, np.bool_)
    np.equal(flat, SPACE, out=begins[:-1])
    begins[texts_begin] = True
    strings_begin = np.flatnonzero(begins)
    del begins
    parts = pa.LargeStringArray.from_buffers(len(strings_begin) - 1, pa.py_buffer(strings_begin), characters)
    return _series(parts), np.diff(np.searchsorted(strings_begin, texts_begin))


def _flat(strings: pl.Series) -> pa.LargeStringArray:
    return strings.to_arrow(compat_level=pl.CompatLevel.oldest())


def _series(strings: pa.LargeStringArray) -> pl.Series:
    """Returns the strings as a polars Series. Polars' own conversion takes a third longer.

    Strings of 2 GB or more in all are not cast to views.
    """
    return pl.Series(strings if strings.nbytes >> 31 else strings.cast(pa.string_view()))

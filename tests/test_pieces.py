"""Texts cut at spaces: the strings, and which of them each text is made of."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textmill.tokenizers.numbering import Numbering
from textmill.tokenizers.pieces import cut

TEXTS = st.text(st.sampled_from("ab\u00e9\u0301\u3000\n  "), max_size=20)


def put_together(batches: list[pl.Series]) -> list[list[str]]:
    """What each text is made of by `cut`, whose numbers go on from batch to batch, without the empty string."""
    strings, found, known = [], [], Numbering()
    for texts in batches:
        new, pieces = cut(texts, "keep", known)
        strings += new.to_list()
        assert len(strings) == len(known)
        parts = iter(pieces.number.tolist())
        found += [[strings[next(parts)] for _ in range(length)] for length in pieces.lengths.tolist()]
        assert next(parts, None) is None
    return [list(filter(None, text)) for text in found]


def by_python(texts: list[str]) -> list[list[str]]:
    return [list(filter(None, text.split(" "))) for text in texts]


@given(st.lists(st.lists(TEXTS, max_size=4), min_size=1, max_size=4))
def test_texts_are_the_pieces_that_python_cuts(batches):
    found = put_together([pl.Series(texts, dtype=pl.String) for texts in batches])
    assert found == [pieces for texts in batches for pieces in by_python(texts)]


@pytest.mark.parametrize("texts", [["one two", "one", "two one"], ["", " ", "  a "], ["x" * 40 + " y"], [""], []])
def test_texts_of_a_column_that_is_sliced_or_in_chunks(texts):
    column = pl.Series(["before it", *texts, " after"], dtype=pl.String)[1:-1]
    chunks = pl.concat([column, pl.Series(texts, dtype=pl.String)], rechunk=False)
    assert put_together([column]) == by_python(texts)
    assert put_together([chunks]) == 2 * by_python(texts)

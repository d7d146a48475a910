"""Texts split at spaces: the strings, and which of them each text consists of."""

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textmill.text import arrow, pieces, plain
from textmill.text.numbering import Numbering
from textmill.text.pieces import distinct, normal, numbered, split_at_spaces, without_markup
from textmill.text.ragged import Ragged
from textmill.tokenizers.char import CharTokenizer
from textmill.tokenizers.word import WordTokenizer

TEXTS = st.text(st.sampled_from("abAJK\u030c\u212a\u00e9\u00c9\u0130\u0399\u03a3\u0308\u0301\u3000\n  "), max_size=20)

KERNELS = pytest.mark.parametrize("kernels", [arrow, plain], ids=["arrow", "plain"])


@contextmanager
def cutting_by(kernels: ModuleType) -> Iterator[None]:
    """A block in which texts are split by arrow, or by polars alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "kernels", kernels)
        yield


def put_together(batches: list[pl.Series], lowercase: bool) -> list[list[str]]:
    """Returns the pieces of each text, without spaces, with one numbering for all batches."""
    strings, found, known = [], [], Numbering()
    for texts in batches:
        new, pieces = numbered(split_at_spaces(texts, "keep", lowercase), known)
        strings += [string.removeprefix(" ") for string in new]
        assert len(strings) == len(known)
        parts = iter(pieces.number.tolist())
        found += [[strings[next(parts)] for _ in range(length)] for length in pieces.lengths.tolist()]
        assert next(parts, None) is None
    return [list(filter(None, text)) for text in found]


def by_python(texts: list[str], lowercase: bool) -> list[list[str]]:
    return [[by_standard(piece, lowercase) for piece in text.split(" ") if piece] for text in texts]


def by_standard(piece: str, lowercase: bool) -> str:
    return unicodedata.normalize("NFC", piece.lower() if lowercase else piece)


def test_pieces_that_differ_in_ascii_case_alone_are_one():
    strings, pieces = distinct(pl.Series(["a One one ONE \u00c9 \u00e9"]), "keep", lowercase=True)
    assert sorted(strings) == [" one", " \u00e9", " \u00e9", "a"]  # only the last is not ASCII
    assert strings.gather(pieces.number).to_list() == ["a", " one", " one", " one", " \u00e9", " \u00e9"]


def test_no_text_is_an_empty_one():
    strings, pieces = distinct(pl.Series([None, "a\0b", None]), "strip", lowercase=True)
    assert strings.to_list() == ["a\0b"]
    assert pieces.lengths.tolist() == [0, 1, 0]


@KERNELS
@pytest.mark.parametrize("lowercase", [True, False])
@given(st.lists(st.lists(TEXTS, max_size=4), min_size=1, max_size=4))
def test_texts_are_the_pieces_that_python_cuts(kernels, lowercase, batches):
    with cutting_by(kernels):
        found = put_together([pl.Series(texts, dtype=pl.String) for texts in batches], lowercase)
    assert found == [pieces for texts in batches for pieces in by_python(texts, lowercase)]


def same(ours: Ragged, theirs: Ragged) -> bool:
    return ours.ids.tolist() == theirs.ids.tolist() and ours.offsets.tolist() == theirs.offsets.tolist()


@pytest.mark.parametrize("lowercase", [True, False])
@given(st.lists(TEXTS | st.text(max_size=20), max_size=6))
def test_plain_and_fast_ways_give_the_same_ids(lowercase, texts):
    words = WordTokenizer(lowercase, "strip", r"[^\s]", tuple("abjk\u00e9\u01f0\u03c3\u03c2"))
    letters = CharTokenizer(lowercase, "strip", (" ", *words.vocabulary))
    column = pl.Series(texts, dtype=pl.String)
    for encode in (words.encode, letters.encode):
        with cutting_by(plain):
            slow = encode(column)
        with cutting_by(arrow):
            assert same(encode(column), slow)
    assert column.to_list() == texts


@KERNELS
def test_the_callers_texts_stay_as_they_are(kernels):
    texts = pl.Series(["A\u030a"])
    with cutting_by(kernels):
        assert normal(texts, lowercase=False).to_list() == ["\u00c5"]
    assert texts.to_list() == ["A\u030a"]


@KERNELS
@pytest.mark.parametrize("lowercase", [True, False])
@pytest.mark.parametrize(
    "texts", [["one Two", "One", "two one"], ["", " ", "  A "], ["x" * 40 + " Y"], ["\u00c1RBOL A\u030a"], [""], []]
)
def test_texts_of_a_column_that_is_sliced_or_in_chunks(texts, lowercase, kernels):
    column = pl.Series(["before it", *texts, " after"], dtype=pl.String)[1:-1]
    chunks = pl.concat([column, pl.Series(texts, dtype=pl.String)], rechunk=False)
    with cutting_by(kernels):
        assert put_together([column], lowercase) == by_python(texts, lowercase)
        assert put_together([chunks], lowercase) == 2 * by_python(texts, lowercase)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<i>a > b", " a > b"),  # a tag ends at the first >
        ("<a <b>c", "<a  c"),  # and contains no other
        ("x<a\nhref>y", "x y"),
        ("<!--a--> b -->", "  b -->"),
        ("<!-- <b -->c", "<!--  c"),
        ("<!---->x", " x"),
        ("<!--a\nb-->x", " x"),
        ("a&nbsp;b", "a b"),  # the space at which texts are split
        ("&amp;lt;", "&lt;"),  # once
    ],
)
def test_tags_comments_and_entities_are_stripped(text, expected):
    assert without_markup(pl.Series([text]), "strip").to_list() == [expected]

"""Texts cut at spaces, each different piece once: of the 5.8 million pieces of IMDB's training texts, 265,000.

What a tokenizer does to a text it does to these, provided that no token of it holds a space.
"""

from typing import Literal, NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa

from textmill.ragged import UNK, Ragged
from textmill.tokenizers.numbering import Numbering

Markup = Literal["strip", "breaks", "keep"]  # strip: tags become spaces, entities characters; breaks: <br> alone

TAG = r"</?[A-Za-z][^<>]*>|<!--[^<>]*-->"  # "a < b" is not a tag
BREAK = r"(?i-u:<br\s*/?>)"  # ASCII alone, as HTML has it, is found faster
ENTITIES = {"&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'", "&apos;": "'", "&nbsp;": " "}
SPACE = ord(" ")


class Pieces(NamedTuple):
    """N texts as P pieces, each one of D different strings."""

    number: np.ndarray  # which of the strings each piece is, int32 (P,)
    lengths: np.ndarray  # pieces of each text, int64 (N,)


class Spelling:
    """The ids of D strings, one string after the other: int32 (sum of `sizes`,); `sizes`, int32 (D,), of them each."""

    def __init__(self, ids: np.ndarray, sizes: np.ndarray):
        self.ids, self.sizes = ids, sizes
        self.begins = np.cumsum(sizes) - sizes  # where the ids of each string begin, (D,)
        first = np.append(ids, np.int32(UNK)).take(self.begins)  # of them; the last strings may have none
        self.only = np.where(sizes == 1, first, np.int32(-1))

    def documents(self, pieces: Pieces) -> Ragged:
        """The ids of each text. One without any gets one UNK.

        Pieces of one id, which most are, are looked up at once; the ids of the others are put between them.
        """
        number = pieces.number.astype(np.intp)  # what numpy would do anew for each look-up
        only = self.only.take(number)
        other = np.flatnonzero(only < 0)
        theirs = number[other]
        counts = self.sizes[theirs]
        where = np.repeat(self.begins[theirs] - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
        flat = np.insert(np.delete(only, other), np.repeat(other - np.arange(len(other)), counts), self.ids[where])
        text = np.searchsorted(np.cumsum(pieces.lengths), other, side="right")
        more = np.bincount(text, counts - 1, minlength=len(pieces.lengths))  # ids than pieces, of each text
        return Ragged.of(flat, pieces.lengths + more.astype(np.int64))


def marked_down(texts: pl.Series, markup: Markup) -> pl.Series:
    """Texts without their HTML, null as the empty text."""
    texts = texts.fill_null("")
    if markup == "strip":
        return texts.str.replace_all(TAG, " ").str.replace_many(ENTITIES)
    return texts.str.replace_all(BREAK, " ") if markup == "breaks" else texts


def normal(strings: pl.Series, lowercase: bool) -> pl.Series:
    """Composed characters (NFC), in lower case if asked. Only strings beyond ASCII are composed: it is slow."""
    beyond = (strings.str.len_bytes() != strings.str.len_chars()).arg_true()
    if len(beyond):
        strings = strings.scatter(beyond, strings.gather(beyond).str.normalize("NFC"))
    return strings.str.to_lowercase() if lowercase else strings


def flat(lists: pl.Series) -> tuple[pl.Series, np.ndarray]:
    """The strings of lists (N,), one list after the other, and how many each list has, int32 (N,)."""
    return lists.explode(empty_as_null=False), lists.list.len().to_numpy().astype(np.int32)


def cut(texts: pl.Series, markup: Markup, seen: Numbering) -> tuple[pl.Series, Pieces]:
    """What stands between the spaces of the texts: the strings that were not seen before, and the texts as pieces.

    At the beginning of a text a string is another one than after a space.
    """
    strings, lengths = _before_spaces(marked_down(texts, markup))
    number, new = seen.add(strings)
    return strings.gather(new).str.strip_prefix(" "), Pieces(number, lengths)


def _before_spaces(texts: pl.Series) -> tuple[pl.Series, np.ndarray]:
    """Texts (N,) cut before each space: the strings of all, (P,), and how many each text has, int64 (N,).

    Arrow keeps the bytes of all texts in a row, and where each begins. To cut them is to say where more strings begin,
    which takes two thirds of the time of `str.split`.
    """
    _, offsets, characters = texts.to_arrow(compat_level=pl.CompatLevel.oldest()).buffers()
    texts_begin = np.frombuffer(offsets, np.int64, len(texts) + 1)  # the last is where all end
    begins = np.empty(texts_begin[-1] + 1, np.bool_)
    np.equal(np.frombuffer(characters, np.uint8, texts_begin[-1]), SPACE, out=begins[:-1])
    begins[texts_begin] = True
    strings_begin = np.flatnonzero(begins)
    strings = pa.LargeStringArray.from_buffers(len(strings_begin) - 1, pa.py_buffer(strings_begin), characters)
    return pl.Series(strings), np.diff(np.searchsorted(strings_begin, texts_begin))

"""Texts split at spaces, with each different piece kept once: 265,000 of the 5.8 million in IMDB's training texts.

A tokenizer whose tokens contain no space can work on the different pieces instead of the texts.
"""

from importlib.util import find_spec
from typing import Literal, NamedTuple

import numpy as np
import polars as pl

from textmill.text.numbering import BITS, Numbering, hashed
from textmill.text.ragged import UNK, Ragged

if find_spec("pyarrow"):
    from textmill.text import arrow as kernels
else:
    from textmill.text import plain as kernels  # type: ignore[no-redef]  # with the same functions

# html: replaces tags and the contents of style and script by spaces, entities by characters; strip: the same, but
# keeps the contents of style and script; breaks: replaces only <br>.
Markup = Literal["html", "strip", "breaks", "keep"]
Fold = Literal["none", "marks"]  # marks: removes the accents of Latin and Greek letters

TAG = r"</?[A-Za-z][^<>]*>|<!--[^<>]*-->"  # "a < b" is not a tag
BREAK = r"(?i-u:<br\s*/?>)"  # HTML tags are ASCII, which is faster to search
UNSEEN = r"(?is)<style\b[^<>]*>.*?</style\b[^<>]*>|<script\b[^<>]*>.*?</script\b[^<>]*>|<!--.*?-->"
MARKED = r"([\p{Latin}\p{Greek}])\p{M}+"
ENTITIES = {"&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'", "&apos;": "'", "&nbsp;": " "}


class Pieces(NamedTuple):
    """N texts as P pieces; each piece is one of D different strings."""

    number: np.ndarray  # number of each piece's string, int32 (P,)
    lengths: np.ndarray  # number of pieces in each text, int64 (N,)


class PieceIds:
    """The ids of D strings, one string after another: int32 (sum of `sizes`,). `sizes`: ids per string, int32 (D,)."""

    def __init__(self, ids: np.ndarray, sizes: np.ndarray):
        self.ids, self.sizes = ids, sizes
        self.begins = np.cumsum(sizes) - sizes  # where each string's ids begin, (D,)
        first = np.append(ids, np.int32(UNK)).take(self.begins)  # first id; the last strings may have none
        self.only = np.where(sizes == 1, first, np.int32(-1))

    def documents(self, pieces: Pieces) -> Ragged:
        """Returns the ids of each text; a text without ids gets one UNK.

        Most pieces have one id and are looked up in one step; the ids of the others are inserted between them.
        """
        only = self.only.take(pieces.number)
        other = np.flatnonzero(only < 0)
        theirs = pieces.number[other]
        counts = self.sizes[theirs]
        where = np.repeat(self.begins[theirs] - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
        flat = np.insert(np.delete(only, other), np.repeat(other - np.arange(len(other)), counts), self.ids[where])
        text = np.searchsorted(np.cumsum(pieces.lengths), other, side="right")
        more = np.bincount(text, counts - 1, minlength=len(pieces.lengths))  # ids beyond one per piece, of each text
        return Ragged.of(flat, pieces.lengths + more.astype(np.int64))


def without_markup(texts: pl.Series, markup: Markup) -> pl.Series:
    """Returns texts without HTML, as `markup` says, with null as the empty text."""
    if texts.null_count():
        texts = texts.fill_null("")
    if markup == "html":
        texts = texts.str.replace_all(UNSEEN, " ")
    if markup in ("html", "strip"):
        return texts.str.replace_all(TAG, " ").str.replace_many(ENTITIES)
    return texts.str.replace_all(BREAK, " ") if markup == "breaks" else texts


def normal(strings: pl.Series, lowercase: bool, fold: Fold = "none") -> pl.Series:
    """Returns the strings lower-cased if asked, folded, then composed (NFC)."""
    return _composed(kernels.lowered(strings) if lowercase else strings, lowercase, fold)


def flat(lists: pl.Series) -> tuple[pl.Series, np.ndarray]:
    """Returns the strings of N lists, one list after another, and the length of each list, int32 (N,)."""
    return lists.explode(empty_as_null=False), lists.list.len().to_numpy().astype(np.int32)


class SplitTexts(NamedTuple):
    """N texts split at spaces into P strings, which may begin with a space."""

    strings: pl.Series  # (P,), one text after another
    hashes: np.ndarray  # the strings' hashes, uint64 (P,)
    lengths: np.ndarray  # number of strings in each text, int64 (N,)
    lowercase: bool  # whether to lower-case the strings; ASCII letters already are
    fold: Fold = "none"  # folding still to be done


def split_at_spaces(texts: pl.Series, markup: Markup, lowercase: bool, fold: Fold = "none") -> SplitTexts:
    """Returns texts without HTML, split at spaces. Keeps no state, so that a thread can run it."""
    strings, lengths = kernels.split_at_spaces(without_markup(texts, markup), lowercase)
    return SplitTexts(strings, hashed(strings), lengths, lowercase, fold)


def numbered(parts: SplitTexts, seen: Numbering) -> tuple[pl.Series, Pieces]:
    """Returns the strings not seen before, normalized as by `normal`, and the texts as pieces."""
    number, new = seen.add(parts.hashes)
    return _composed(parts.strings[new], parts.lowercase, parts.fold), Pieces(number, parts.lengths)


def distinct(texts: pl.Series, markup: Markup, lowercase: bool, fold: Fold = "none") -> tuple[pl.Series, Pieces]:
    """Returns the different strings between spaces, normalized as by `normal`, and the texts as pieces.

    A string may be returned twice if two spellings of it become equal.
    """
    parts = split_at_spaces(texts, markup, lowercase, fold)
    return numbered(parts, Numbering(min(BITS, len(parts.hashes).bit_length())))


def _composed(strings: pl.Series, lowercase: bool, fold: Fold) -> pl.Series:
    """Normalizes strings whose ASCII letters are done: only those with other characters are left, which is slow."""
    string = pl.col(strings.name).str
    beyond = strings.to_frame().select((string.len_bytes() != string.len_chars()).arg_true()).to_series()
    if not len(beyond):
        return strings
    theirs = strings[beyond].str.to_lowercase() if lowercase else strings[beyond]
    if fold == "marks":
        theirs = theirs.str.normalize("NFD").str.replace_all(MARKED, "${1}")
    return strings.clone().scatter(beyond, theirs.str.normalize("NFC"))

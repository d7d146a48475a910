"""Texts cut at spaces, each different piece once: of the 5.8 million pieces of IMDB's training texts, 265,000.

What a tokenizer does to a text it does to these, provided that no token of it holds a space.
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
    from textmill.text import plain as kernels  # type: ignore[no-redef]  # it has the same functions

# html: tags, and what style and script hold, become spaces, entities characters; strip: as html, but the contents of
# style and script stay; breaks: <br> alone goes.
Markup = Literal["html", "strip", "breaks", "keep"]
Fold = Literal["none", "marks"]  # marks: a letter of the Latin or Greek script counts as the one without its marks

TAG = r"</?[A-Za-z][^<>]*>|<!--[^<>]*-->"  # "a < b" is not a tag
BREAK = r"(?i-u:<br\s*/?>)"  # ASCII alone, as HTML has it, is found faster
UNSEEN = r"(?is)<style\b[^<>]*>.*?</style\b[^<>]*>|<script\b[^<>]*>.*?</script\b[^<>]*>|<!--.*?-->"
MARKED = r"([\p{Latin}\p{Greek}])\p{M}+"
ENTITIES = {"&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'", "&apos;": "'", "&nbsp;": " "}


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
        only = self.only.take(pieces.number)
        other = np.flatnonzero(only < 0)
        theirs = pieces.number[other]
        counts = self.sizes[theirs]
        where = np.repeat(self.begins[theirs] - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
        flat = np.insert(np.delete(only, other), np.repeat(other - np.arange(len(other)), counts), self.ids[where])
        text = np.searchsorted(np.cumsum(pieces.lengths), other, side="right")
        more = np.bincount(text, counts - 1, minlength=len(pieces.lengths))  # ids than pieces, of each text
        return Ragged.of(flat, pieces.lengths + more.astype(np.int64))


def marked_down(texts: pl.Series, markup: Markup) -> pl.Series:
    """Texts without their HTML, null as the empty text."""
    if texts.null_count():
        texts = texts.fill_null("")
    if markup == "html":
        texts = texts.str.replace_all(UNSEEN, " ")
    if markup in ("html", "strip"):
        return texts.str.replace_all(TAG, " ").str.replace_many(ENTITIES)
    return texts.str.replace_all(BREAK, " ") if markup == "breaks" else texts


def normal(strings: pl.Series, lowercase: bool, fold: Fold = "none") -> pl.Series:
    """In lower case if asked, folded, then composed (NFC)."""
    return _composed(kernels.lowered(strings) if lowercase else strings, lowercase, fold)


def flat(lists: pl.Series) -> tuple[pl.Series, np.ndarray]:
    """The strings of lists (N,), one list after the other, and how many each list has, int32 (N,)."""
    return lists.explode(empty_as_null=False), lists.list.len().to_numpy().astype(np.int32)


class Cut(NamedTuple):
    """N texts cut at their spaces into P strings, which may begin with one."""

    strings: pl.Series  # (P,), one text after the other
    hashes: np.ndarray  # of them, uint64 (P,)
    lengths: np.ndarray  # strings of each text, int64 (N,)
    lowercase: bool  # whether strings are to be in lower case; in ASCII they are already
    fold: Fold = "none"  # what is still to be done to them


def cut(texts: pl.Series, markup: Markup, lowercase: bool, fold: Fold = "none") -> Cut:
    """Texts without their HTML, cut. What was seen before plays no part in it, so that threads can do it."""
    strings, lengths = kernels.cut(marked_down(texts, markup), lowercase)
    return Cut(strings, hashed(strings), lengths, lowercase, fold)


def numbered(parts: Cut, seen: Numbering) -> tuple[pl.Series, Pieces]:
    """The strings that were not seen before, as `normal` makes them, and the texts as pieces."""
    number, new = seen.add(parts.hashes)
    return _composed(parts.strings[new], parts.lowercase, parts.fold), Pieces(number, parts.lengths)


def different(texts: pl.Series, markup: Markup, lowercase: bool, fold: Fold = "none") -> tuple[pl.Series, Pieces]:
    """The strings between the spaces of texts, as `normal` makes them, nearly all once, and the texts as pieces."""
    parts = cut(texts, markup, lowercase, fold)
    return numbered(parts, Numbering(min(BITS, len(parts.hashes).bit_length())))


def _composed(strings: pl.Series, lowercase: bool, fold: Fold) -> pl.Series:
    """Strings whose ASCII is done, as `normal` makes them: only those beyond it are left to do, which is slow."""
    string = pl.col(strings.name).str
    beyond = strings.to_frame().select((string.len_bytes() != string.len_chars()).arg_true()).to_series()
    if not len(beyond):
        return strings
    theirs = strings[beyond].str.to_lowercase() if lowercase else strings[beyond]
    if fold == "marks":
        theirs = theirs.str.normalize("NFD").str.replace_all(MARKED, "${1}")
    return strings.clone().scatter(beyond, theirs.str.normalize("NFC"))

"""Texts cut at spaces, each different piece once: of the 5.8 million pieces of IMDB's training texts, 265,000.

What a tokenizer does to a text it does to these, provided that no token of it holds a space.
"""

from typing import Literal, NamedTuple

import numpy as np
import polars as pl

from textmill.ragged import Ragged

Markup = Literal["strip", "breaks", "keep"]  # strip: tags become spaces, entities characters; breaks: <br> alone

TAG = r"</?[A-Za-z][^<>]*>|<!--[^<>]*-->"  # "a < b" is not a tag
BREAK = r"(?i)<br\s*/?>"
FEW = 10_000  # strings: to find equal ones among fewer costs more than it saves
ENTITIES = {"&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'", "&apos;": "'", "&nbsp;": " "}


class Pieces(NamedTuple):
    """N texts as P pieces, D of them different."""

    different: pl.Series  # (D,)
    number: np.ndarray  # which of the different ones each piece is, int32 (P,)
    lengths: np.ndarray  # pieces of each text, int64 (N,)

    def spread(self, ids: np.ndarray, sizes: np.ndarray) -> Ragged:
        """Documents, from the ids of the different pieces: `sizes`, int32 (D,), of them each. No id: one UNK."""
        counts = sizes[self.number]  # ids of each piece, (P,)
        ends = np.cumsum(counts, dtype=np.int32)  # where they end, (P,)
        shift = (np.cumsum(sizes, dtype=np.int32) - sizes)[self.number] + counts - ends
        where = np.repeat(shift, counts)  # of each id: its place among `ids`, less its place in the texts
        flat = ids[where + np.arange(len(where), dtype=np.int32)]
        ends = np.concatenate([[0], ends])[np.cumsum(self.lengths)]  # of each text, (N,)
        return Ragged.of(flat, np.diff(ends, prepend=0))


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


def cut(texts: pl.Series, markup: Markup) -> Pieces:
    """What stands between the spaces of the texts."""
    pieces = marked_down(texts, markup).str.split(" ")
    different, number = distinct(pieces.explode(empty_as_null=False))
    return Pieces(different, number, pieces.list.len().to_numpy().astype(np.int64))


def distinct(strings: pl.Series) -> tuple[pl.Series, np.ndarray]:
    """The different ones among (N,) strings, and for each string its number there, int32 (N,).

    They are not in the order of the strings. The same 64-bit hash counts as the same string: among ten million, that is
    wrong with a chance of 3 in a million.
    """
    if len(strings) < FEW:
        return strings, np.arange(len(strings), dtype=np.int32)
    rows, number = _grouped(strings.hash().to_numpy())
    return strings.gather(rows), number


def _grouped(hashes: np.ndarray, bits: int = 19) -> tuple[np.ndarray, np.ndarray]:
    """A row of each of D different hashes, and for each hash its number among them, int32 (N,), of uint64 (N,).

    In tables over the first bits the last hash wins; those that met another one there try again with other bits.
    """
    slot = (hashes >> np.uint64(64 - bits)).view(np.int64)
    last = np.full(1 << bits, -1, np.int32)  # small enough for the processor's cache, as the next two
    last[slot] = np.arange(len(hashes), dtype=np.int32)
    taken = np.flatnonzero(last >= 0)
    rows = last[taken]
    owner, order = np.empty(1 << bits, np.uint64), np.empty(1 << bits, np.int32)
    owner[taken], order[taken] = hashes[rows], np.arange(len(rows), dtype=np.int32)
    number, other = order[slot], np.flatnonzero(owner[slot] != hashes)
    if not len(other):
        return rows, number
    others, theirs = _grouped(hashes[other] * np.uint64(0x9E3779B97F4A7C15), bits)
    number[other] = len(rows) + theirs
    return np.concatenate([rows, other[others]]), number

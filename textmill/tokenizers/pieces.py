"""Texts cut at spaces, each different piece once: of the 5.8 million pieces of IMDB's training texts, 265,000.

What a tokenizer does to a text it does to these, provided that no token of it holds a space.
"""

from typing import Literal, NamedTuple

import numpy as np
import polars as pl

from textmill.ragged import Ragged
from textmill.tokenizers.numbering import Numbering

Markup = Literal["strip", "breaks", "keep"]  # strip: tags become spaces, entities characters; breaks: <br> alone

TAG = r"</?[A-Za-z][^<>]*>|<!--[^<>]*-->"  # "a < b" is not a tag
BREAK = r"<[Bb][Rr]\s*/?>"
AT_ONCE = 5_000  # texts: their pieces take five times the memory that they do
ENTITIES = {"&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'", "&apos;": "'", "&nbsp;": " "}


class Pieces(NamedTuple):
    """N texts as P pieces, which are D different strings."""

    number: np.ndarray  # which of the strings each piece is, int32 (P,)
    lengths: np.ndarray  # pieces of each text, int64 (N,)

    def spread(self, ids: np.ndarray, sizes: np.ndarray) -> Ragged:
        """Documents, of fewer than 2^31 ids together, from the ids of the D strings, one string after the other.

        sizes: how many ids each string has, int32 (D,). A document without any gets one UNK.
        """
        number = self.number.astype(np.intp)  # what numpy would do anew for each look-up
        counts = sizes.take(number)  # ids of each piece, (P,)
        ends = np.cumsum(counts, dtype=np.int32)  # where they end
        where = np.cumsum(sizes, dtype=np.int32).take(number)
        where -= ends  # of each piece: where its ids stand in `ids`, less where they go
        where = np.repeat(where, counts)
        where += np.arange(len(where), dtype=np.int32)
        ends = np.concatenate([[0], ends])[np.cumsum(self.lengths)]  # of each text, (N,)
        return Ragged.of(ids.take(where), np.diff(ends, prepend=0))


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


def cut(texts: pl.Series, markup: Markup, seen: Numbering) -> tuple[pl.Series, Pieces]:
    """What stands between the spaces of the texts: the strings that were not seen before, and the texts as pieces."""
    new, number, lengths = [], [], []
    for first in range(0, max(len(texts), 1), AT_ONCE):
        pieces = marked_down(texts[first : first + AT_ONCE], markup).str.split(" ")
        strings = pieces.explode(empty_as_null=False)
        numbers, rows = seen.add(strings)
        new.append(strings.gather(rows))
        number.append(numbers)
        lengths.append(pieces.list.len().to_numpy().astype(np.int64))
    return pl.concat(new), Pieces(np.concatenate(number), np.concatenate(lengths))

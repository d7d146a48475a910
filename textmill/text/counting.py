"""Texts read once: the different words in them, how often each stands there, and what the texts are made of."""

from collections.abc import Callable, Iterable, Iterator
from typing import IO, NamedTuple

import numpy as np
import polars as pl

from textmill.text.numbering import Numbering, hashed
from textmill.text.pieces import Cut, Pieces, flat, numbered

IN_MEMORY = 64 << 20  # bytes of numbers; more of them wait in a file (16 million pieces, 90 MB of English)


class Counted(NamedTuple):
    """Texts as D different pieces, and these as W different words."""

    words: pl.Series  # by their numbers, (W,)
    numbers: np.ndarray  # of the words of each piece, one piece after the other: int32 (sum of `sizes`,)
    sizes: np.ndarray  # words of each piece, int32 (D,)
    seen: np.ndarray  # how often each piece stands in the texts, int64 (D,)
    lengths: list[np.ndarray]  # pieces of each text, one array a batch

    def counts(self) -> np.ndarray:
        """How often each word stands in the texts: int64 (W,)."""
        return np.bincount(self.numbers, np.repeat(self.seen, self.sizes), len(self.words)).astype(np.int64)


def count(batches: Iterable[Cut], words: Callable[[pl.Series], pl.Series], spill: IO[bytes]) -> Counted:
    """Read texts; `words` gives those of each piece, as a list Series. The pieces' numbers wait in `spill`.

    In memory are the different words, numbers for each different piece, and a length for each text.
    """
    known_pieces, known_words = Numbering(), Numbering()
    seen = np.zeros(0, np.int64)  # longer than needed
    sizes, numbers, different, lengths = [], [], [], []
    for parts in batches:
        new, pieces = numbered(parts, known_pieces)
        del parts  # makes room for the next
        found, each = flat(words(new))
        number, first = known_words.add(hashed(found))
        sizes.append(each)
        numbers.append(number)
        different.append(found.gather(first))
        if len(known_pieces) > len(seen):
            seen = np.append(seen, np.zeros(len(known_pieces), np.int64))
        np.add.at(seen, pieces.number, 1)
        spill.write(pieces.number.data)
        lengths.append(pieces.lengths)
    seen = seen[: len(known_pieces)]
    return Counted(pl.concat(different), np.concatenate(numbers), np.concatenate(sizes), seen, lengths)


def waiting(spill: IO[bytes], lengths: list[np.ndarray]) -> Iterator[Pieces]:
    """Each batch of texts that was counted."""
    spill.seek(0)
    for batch in lengths:
        yield Pieces(np.frombuffer(spill.read(4 * batch.sum()), np.int32), batch)

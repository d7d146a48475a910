"""Word counts from one pass over the texts, with the pieces that each text consists of."""

from collections.abc import Callable, Iterable, Iterator
from typing import IO, NamedTuple

import numpy as np
import polars as pl

from textmill.text.numbering import Numbering, hashed
from textmill.text.pieces import Pieces, SplitTexts, flat, numbered

IN_MEMORY = 64 << 20  # bytes of numbers (16 million pieces, 90 MB of English); the rest goes to a file


class Counted(NamedTuple):
    """Texts as D different pieces, and the pieces as W different words."""

    words: pl.Series  # (W,), at their numbers
    numbers: np.ndarray  # word numbers of each piece, one piece after another: int32 (sum of `sizes`,)
    sizes: np.ndarray  # number of words in each piece, int32 (D,)
    seen: np.ndarray  # how often each piece occurs in the texts, int64 (D,)
    lengths: list[np.ndarray]  # number of pieces in each text, one array per batch

    def counts(self) -> np.ndarray:
        """Returns how often each word occurs in the texts, int64 (W,)."""
        return np.bincount(self.numbers, np.repeat(self.seen, self.sizes), len(self.words)).astype(np.int64)


def count(batches: Iterable[SplitTexts], words: Callable[[pl.Series], pl.Series], spill: IO[bytes]) -> Counted:
    """Counts the words of texts that come in batches of pieces.

    words: returns the words of each piece, as a list Series. spill: a file for the numbers of the texts' pieces.
    Memory holds the different words, the numbers of each different piece, and a length for each text.
    """
    known_pieces, known_words = Numbering(), Numbering()
    seen = np.zeros(0, np.int64)  # grows beyond what is needed
    sizes, numbers, different, lengths = [], [], [], []
    for parts in batches:
        new, pieces = numbered(parts, known_pieces)
        del parts  # frees memory for the next batch
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


def read_back(spill: IO[bytes], lengths: list[np.ndarray]) -> Iterator[Pieces]:
    """Yields each batch of texts that `count` wrote to `spill`."""
    spill.seek(0)
    for batch in lengths:
        yield Pieces(np.frombuffer(spill.read(4 * batch.sum()), np.int32), batch)

"""Numbers for strings, in the order in which they come."""

import numpy as np
import polars as pl

BITS = 16  # of the first table: it stays in the processor's cache
BLOCK = 1 << 17  # strings at a time: what is worked out of them stays there, too
MIX = np.uint64(0x9E3779B97F4A7C15)  # odd, so that different hashes stay different (Knuth's multiplicative hashing)


def hashed(strings: pl.Series) -> np.ndarray:
    """64 bits for each of (N,) strings, the same for equal ones in this process: uint64 (N,)."""
    return strings.hash().to_numpy()


class Numbering:
    """Gives equal strings, by their hashes, the same number, and the next number to one that it has not seen.

    It keeps hashes of 64 bits, in tables by the first of them. A string whose place is taken goes to the next table;
    they double at every second step. The frequent strings, which came first, are in the first. The same hash counts as
    the same string: among ten million, that is wrong with a chance of 3 in a million.
    """

    def __init__(self, bits: int = BITS) -> None:
        self._bits = bits  # of the first table
        self._tables: list[tuple[np.ndarray, np.ndarray]] = []  # hashes, 0 for none (one of 2^64 is), and numbers
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def add(self, hashes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The number of each of (N,) strings, int32, and the rows of those that are new, int64, by their numbers."""
        number, new = np.empty(len(hashes), np.int32), [np.zeros(0, np.int64)]
        for first in range(0, len(hashes), BLOCK):
            block = slice(first, first + BLOCK)
            number[block], rows = self._add(hashes[block], 0)
            new.append(first + rows)
        return number, np.concatenate(new)

    def _add(self, hashes: np.ndarray, level: int) -> tuple[np.ndarray, np.ndarray]:
        """As `add`, of hashes that are in none of the tables before this level."""
        bits = self._bits + (level + 1) // 2
        if level == len(self._tables):
            self._tables.append((np.zeros(1 << bits, np.uint64), np.zeros(1 << bits, np.int32)))
        known, numbers = self._tables[level]
        place = (hashes >> np.uint64(64 - bits)).view(np.int64)
        other = np.flatnonzero(known.take(place) != hashes)
        theirs, wanted = hashes.take(other), place.take(other)
        free = np.flatnonzero(known.take(wanted) == 0)
        spot = wanted.take(free)
        numbers.put(spot, free)  # of those that want the same place, the last one wins
        new = free.compress(numbers.take(spot) == free)
        spot = wanted.take(new)
        known.put(spot, theirs.take(new))
        numbers.put(spot, np.arange(self._size, self._size + len(new)))
        self._size += len(new)
        number, new = numbers.take(place), other.take(new)
        rest = np.flatnonzero(known.take(wanted) != theirs)
        if len(rest):
            other = other.take(rest)
            found, more = self._add(theirs.take(rest) * MIX, level + 1)
            number.put(other, found)
            new = np.concatenate([new, other.take(more)])
        return number, new

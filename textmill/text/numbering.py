"""Numbers for strings, in the order of their first appearance."""

import numpy as np
import polars as pl

BITS = 16  # size of the first table, which fits in the processor's cache
BLOCK = 1 << 17  # strings at a time, so that intermediate arrays fit in the cache
MIX = np.uint64(0x9E3779B97F4A7C15)  # odd, so that different hashes stay different (Knuth's multiplicative hashing)


def hashed(strings: pl.Series) -> np.ndarray:
    """Returns a 64-bit hash of each string, uint64 (N,). Equal strings have equal hashes within a process."""
    return strings.hash().to_numpy()


class Numbering:
    """Numbers for strings: each new string gets the next number. Strings are compared by their hashes.

    64-bit hashes are stored in a sequence of tables, at the position given by their first bits. A hash whose position
    is taken goes to the next table; table sizes double at every second step. Frequent strings come first, so most
    of them are in the first table. Strings with equal hashes get the same number: among ten million strings, the
    chance that two different ones do is 3 in a million.
    """

    def __init__(self, bits: int = BITS) -> None:
        self._bits = bits  # size of the first table
        self._tables: list[tuple[np.ndarray, np.ndarray]] = []  # hashes (0 for free: 1 hash in 2^64 is 0), and numbers
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def add(self, hashes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns each string's number, int32 (N,), and the rows of the new strings, int64, in order of number."""
        number, new = np.empty(len(hashes), np.int32), [np.zeros(0, np.int64)]
        for first in range(0, len(hashes), BLOCK):
            block = slice(first, first + BLOCK)
            number[block], rows = self._add(hashes[block], 0)
            new.append(first + rows)
        return number, np.concatenate(new)

    def _add(self, hashes: np.ndarray, level: int) -> tuple[np.ndarray, np.ndarray]:
        """Does what `add` does for hashes that are not in the tables before this level."""
        bits = self._bits + (level + 1) // 2
        if level == len(self._tables):
            self._tables.append((np.zeros(1 << bits, np.uint64), np.zeros(1 << bits, np.int32)))
        known, numbers = self._tables[level]
        place = (hashes >> np.uint64(64 - bits)).view(np.int64)
        other = np.flatnonzero(known.take(place) != hashes)
        theirs, wanted = hashes.take(other), place.take(other)
        free = np.flatnonzero(known.take(wanted) == 0)
        spot = wanted.take(free)
        numbers.put(spot, free)  # where several want the same position, the last one wins
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

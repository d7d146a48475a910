"""Numbers for strings: as a dict gives them, but for their order."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textmill.text import numbering
from textmill.text.numbering import Numbering, hashed

# Few different ones whose first bits, the place in a table, are often the same. None is 0, which marks a free place.
HASHES = st.builds(lambda first, last: first << 62 | last, st.integers(0, 3), st.integers(1, 40))


class Plain:
    """What `Numbering` does, by a dict: the next number to what was not seen before."""

    def __init__(self):
        self.known: dict[int, int] = {}

    def add(self, hashes: list[int]) -> list[int]:
        return [self.known.setdefault(one, len(self.known)) for one in hashes]


def same(batches: list[list[int]], bits: int) -> None:
    """Both number alike: equal hashes get one number, others another, and new ones the next numbers."""
    ours, plain, renamed = Numbering(bits), Plain(), {}
    for hashes in batches:
        before = len(ours)
        found, new = ours.add(np.array(hashes, np.uint64))
        expected = plain.add(hashes)
        assert len(ours) == len(plain.known)
        assert found[new].tolist() == list(range(before, len(ours)))
        pairs = set(zip(found.tolist(), expected, strict=True))
        assert all(renamed.setdefault(one, other) == other for one, other in pairs)
    assert len(set(renamed.values())) == len(renamed) == len(plain.known)
    assert sorted(renamed) == list(range(len(renamed)))


@given(st.lists(st.lists(HASHES, max_size=30), max_size=5), st.integers(1, 6))
def test_numbers_are_those_of_a_dict(batches, bits):
    same(batches, bits)


@pytest.mark.parametrize("bits", [2, 10, 16])
def test_many_strings_in_several_blocks(bits, monkeypatch):
    monkeypatch.setattr(numbering, "BLOCK", 1000)
    rng = np.random.default_rng(0)
    batches = [hashed(pl.Series([f"w{number}" for number in rng.zipf(1.2, 7000) % 5000])) for _ in range(3)]
    same([batch.tolist() for batch in batches], bits)

"""Numbering of strings: as with a dict, except for the order."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textmill.text import numbering
from textmill.text.numbering import Numbering, hashed

# Few different hashes, whose first bits, the position in a table, are often equal. None is 0, which means free.
HASHES = st.builds(lambda first, last: first << 62 | last, st.integers(0, 3), st.integers(1, 40))


class Plain:
    """Does what `Numbering` does, with a dict: gives new hashes the next number."""

    def __init__(self):
        self.known: dict[int, int] = {}

    def add(self, hashes: list[int]) -> list[int]:
        return [self.known.setdefault(one, len(self.known)) for one in hashes]


def same(batches: list[list[int]], bits: int) -> None:
    """Asserts that both number alike: equal hashes get equal numbers, new ones the next numbers."""
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

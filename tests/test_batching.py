import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from textmill.models.batching import Loader, batches, cut
from textmill.ragged import PAD, Ragged

LENGTHS = st.lists(st.integers(1, 50), min_size=1, max_size=60).map(np.array)


def ragged(*docs: list[int]) -> Ragged:
    return Ragged(np.concatenate(docs).astype(np.int32), np.cumsum([0, *map(len, docs)]))


@pytest.mark.parametrize(("how", "kept"), [("head", [1, 2, 3]), ("tail", [5, 6, 7]), ("head+tail", [1, 2, 7])])
def test_cut_keeps_the_end_that_is_asked_for(how, kept):
    docs = cut(ragged([1, 2, 3, 4, 5, 6, 7], [8, 9], [1, 2, 3]), 3, how)
    assert [docs[i].tolist() for i in range(3)] == [kept, [8, 9], [1, 2, 3]]


def test_cut_leaves_short_documents_alone():
    docs = ragged([1, 2], [3])
    assert cut(docs, None, "head") is docs
    assert cut(docs, 2, "tail") is docs


@given(LENGTHS, st.integers(1, 200), st.one_of(st.none(), st.integers(0, 9)))
def test_batches_hold_every_row_once_within_the_budget(lengths, budget, seed):
    parts = batches(lengths, budget, None if seed is None else np.random.default_rng(seed))
    assert sorted(np.concatenate(parts)) == list(range(len(lengths)))
    for rows in parts:
        assert len(rows) == 1 or len(rows) * lengths[rows].max() <= budget


def test_batches_change_with_the_epoch_and_waste_little():
    lengths = np.random.default_rng(0).integers(5, 500, 2000)
    first, again, other = (batches(lengths, 4096, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=False))
    padded = sum(len(rows) * lengths[rows].max() for rows in first)
    assert lengths.sum() / padded > 0.85


def test_a_batch_is_padded_to_its_longest_row():
    loader = Loader(ragged([5, 6, 7], [8], [9, 9, 9, 9]), torch.device("cpu"))
    ids, lengths = loader.batch(np.array([1, 0]))
    assert ids.tolist() == [[8, PAD, PAD], [5, 6, 7]]
    assert lengths.tolist() == [1, 3]

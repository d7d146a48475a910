import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from textmill.text.ragged import PAD, Ragged
from textmill.training.batching import Loader, batches

CPU = torch.device("cpu")
LENGTHS = st.lists(st.integers(1, 50), min_size=1, max_size=60).map(np.array)


def ragged(*docs: list[int]) -> Ragged:
    return Ragged(np.concatenate(docs).astype(np.int32), np.cumsum([0, *map(len, docs)]))


@pytest.mark.parametrize(("how", "kept"), [("head", [1, 2, 3]), ("tail", [5, 6, 7]), ("head+tail", [1, 2, 7])])
def test_cut_keeps_the_end_that_is_asked_for(how, kept):
    loader = Loader(ragged([1, 2, 3, 4, 5, 6, 7], [8, 9], [1, 2, 3]), 3, how, CPU)
    ids, lengths = loader.batch(np.arange(3))
    assert ids.tolist() == [kept, [8, 9, PAD], [1, 2, 3]]
    assert lengths.tolist() == loader.steps.tolist() == [3, 2, 3]


@given(LENGTHS, st.one_of(st.none(), st.integers(1, 60)), st.sampled_from(["head", "tail", "head+tail"]))
def test_a_batch_is_what_slices_of_each_document_are(lengths, limit, how):
    docs = ragged(*(np.arange(2, 2 + length) for length in lengths))
    docs.ids.setflags(write=False)  # as for a memory-mapped file
    ids, kept = Loader(docs, limit, how, CPU).batch(rows := np.random.default_rng(0).permutation(len(lengths)))
    for row, got, length in zip(rows, ids.numpy(), kept.tolist(), strict=True):
        doc, most = docs[row], limit or 60
        ends = {
            "head": doc[:most],
            "tail": doc[-most:],
            "head+tail": [*doc[: -(-most // 2)], *doc[len(doc) - most // 2 :]],
        }
        assert got[:length].tolist() == list(doc if len(doc) <= most else ends[how])
        assert (got[length:] == PAD).all()


@given(LENGTHS, st.integers(1, 200), st.one_of(st.none(), st.integers(1, 9)), st.one_of(st.none(), st.integers(0, 9)))
def test_batches_hold_every_row_once_within_the_budget(lengths, budget, most, seed):
    parts = batches(lengths, budget, most, None if seed is None else np.random.default_rng(seed))
    assert sorted(np.concatenate(parts)) == list(range(len(lengths)))
    for rows in parts:
        assert len(rows) == 1 or len(rows) * lengths[rows].max() <= budget
        assert len(rows) <= (most or 60)


def test_batches_change_with_the_epoch_and_waste_little():
    lengths = np.random.default_rng(0).integers(5, 500, 2000)
    first, again, other = (batches(lengths, 4096, rng=np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, other, strict=False))
    padded = sum(len(rows) * lengths[rows].max() for rows in first)
    assert lengths.sum() / padded > 0.85


def together(lengths: np.ndarray, seed: int, **limits: int) -> set[frozenset[int]]:
    """Returns which rows share a batch, in any order of the batches."""
    return {frozenset(rows.tolist()) for rows in batches(lengths, rng=np.random.default_rng(seed), **limits)}


def test_lengths_are_shaken_by_a_twentieth():
    lengths = np.repeat([100, 102, 113], 40)  # 1.05 * 102 < 0.95 * 113
    first, second = (together(lengths, seed, batch_tokens=10_000, most=10) for seed in (1, 2))
    assert first != second  # batches change
    kinds = {tuple(np.unique(lengths[list(rows)])) for rows in first | second}
    assert (100, 102) in kinds
    assert not any(113 in kind for kind in kinds - {(113,)})


def test_a_longer_row_that_was_shaken_to_the_front_counts_until_the_end():
    lengths = np.repeat([100, 102], 200)
    parts = together(lengths, seed=0, batch_tokens=1000)
    assert max(len(rows) * lengths[list(rows)].max() for rows in parts) == 1000


def test_batches_come_in_random_order():
    lengths = 2 ** np.arange(10)  # too far apart to be mixed
    assert [rows.tolist() for rows in batches(lengths, 1024, 1)] == [[row] for row in range(10)]
    first, second = (np.concatenate(batches(lengths, 1024, 1, np.random.default_rng(seed))) for seed in (1, 2))
    assert len({tuple(first), tuple(second), tuple(range(10))}) == 3


@pytest.mark.parametrize(
    ("lengths", "tokens", "most", "sizes"),
    [
        ([2, 2, 2, 2], 4, None, [2, 2]),  # as many as batch_tokens allows
        ([2, 2, 2, 2], 5, None, [2, 2]),
        ([2, 2, 2, 2], 3, None, [1, 1, 1, 1]),
        ([1, 3], 6, None, [2]),  # rows x longest
        ([1, 3], 5, None, [1, 1]),
        ([9, 9], 4, None, [1, 1]),  # at least one row
        ([1, 1, 1, 1, 1], 100, 2, [2, 2, 1]),
        ([1, 1, 1], 100, 3, [3]),
    ],
)
def test_a_batch_holds_all_that_its_limits_allow(lengths, tokens, most, sizes):
    assert [len(rows) for rows in batches(np.array(lengths), tokens, most)] == sizes


def test_a_batch_is_padded_to_its_longest_row():
    loader = Loader(ragged([5, 6, 7], [8], [9, 9, 9, 9]), None, "head", CPU)
    ids, lengths = loader.batch(np.array([1, 0]))
    assert ids.tolist() == [[8, PAD, PAD], [5, 6, 7]]
    assert lengths.tolist() == [1, 3]


def test_long_batches_are_padded_a_little_further_so_that_shapes_come_again():
    docs = ragged(*([7] * length for length in range(1, 1000)))
    steps = Loader(docs, 700, "head", CPU).steps
    assert steps[:31].tolist() == list(range(1, 32))
    assert (steps >= np.minimum(docs.lengths, 700)).all()
    assert (steps <= 1 + docs.lengths * 17 // 16).all()
    assert steps.max() == 700
    assert len(set(steps.tolist())) < 110

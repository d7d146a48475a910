import numpy as np
import pytest
import torch
from conftest import MODELS, TRAIN
from hypothesis import given
from hypothesis import strategies as st

from textmill.errors import ParamsError
from textmill.models import model_entry
from textmill.networks.embedding import Input, pair_ids, use_vectors
from textmill.text.ragged import PAD
from textmill.vectors import WordVectors

KNOWN = WordVectors(np.array([2, 3, 7]), np.random.default_rng(0).normal(0, 3, (3, 8)).astype(np.float32))


def table(buckets=0, longest=None, dropout=0.0, locked=True) -> Input:
    torch.manual_seed(0)
    return Input(500, 8, buckets, longest, dropout, locked)


@given(st.lists(st.integers(2, 49_999), min_size=1, max_size=9), st.integers(1, 1000), st.integers(0, 4))
def test_a_pair_depends_on_its_two_words(words, buckets, padding):
    (pairs,) = pair_ids(torch.tensor([words + [PAD] * padding]), buckets).tolist()
    assert pairs[0] == PAD
    assert pairs[len(words) :] == [PAD] * padding
    for before, word, pair in zip(words, words[1:], pairs[1:], strict=False):
        assert pair_ids(torch.tensor([[before, word]]), buckets)[0, 1] == pair
        assert 1 <= pair <= buckets


def test_pairs_spread_over_their_buckets():
    one, other = torch.meshgrid(torch.arange(2, 302), torch.arange(2, 302), indexing="ij")
    pairs = pair_ids(torch.stack([one.flatten(), other.flatten()], 1), 30_000)[:, 1]
    filled = len(pairs.unique()) / 30_000
    assert filled > 0.9  # at random 1 - exp(-3) = 0.95
    assert (pair_ids(torch.tensor([[4, 9]]), 30_000) != pair_ids(torch.tensor([[9, 4]]), 30_000)).any()


def test_a_word_is_its_vector_and_its_pairs():
    embed, ids = table(buckets=50), torch.tensor([[4, 9, 4, PAD]])
    assert torch.equal(embed(ids), embed.weight[ids])  # a pair adds nothing before it is trained
    torch.nn.init.normal_(embed.pairs.weight.data[1:])
    expected = embed.weight[ids] + embed.pairs.weight[pair_ids(ids, 50)]
    assert torch.equal(embed(ids), expected)
    assert not embed(ids)[0, 3].any()


def test_vectors_are_no_longer_than_max_norm():
    embed = table(longest=0.7)
    embed.fill(KNOWN, frozen=False)
    norms = embed.weight.detach().norm(dim=1)
    assert norms[PAD] == 0
    assert norms.max() == pytest.approx(0.7)
    expected = 0.7 * KNOWN.vectors / np.linalg.norm(KNOWN.vectors, axis=1, keepdims=True)
    np.testing.assert_allclose(embed.weight.detach()[KNOWN.ids], expected, rtol=1e-5)


def test_unknown_words_have_the_known_ones_spread():
    embed = table()
    drawn = embed.weight.detach().clone()
    embed.fill(KNOWN, frozen=True)
    filled = embed.weight.detach()
    assert torch.equal(filled[KNOWN.ids], torch.tensor(KNOWN.vectors))
    assert not filled[PAD].any()
    others = np.setdiff1d(np.arange(1, 500), KNOWN.ids)
    assert filled[others].std() == pytest.approx(KNOWN.vectors.std(), rel=0.05)
    torch.testing.assert_close(filled[others] / KNOWN.vectors.std(), drawn[others] * 8**0.5)  # no new random draws
    assert not embed.weight.requires_grad


@pytest.mark.parametrize("locked", [True, False])
def test_a_locked_mask_is_one_for_all_steps(locked):
    embed = table(dropout=0.5, locked=locked).train()
    dropped = (embed(torch.randint(2, 500, (200, 5))) == 0).float()  # (B, T, E)
    assert dropped.mean() == pytest.approx(0.5, abs=0.05)
    assert torch.equal(dropped, dropped[:, :1].expand_as(dropped)) == locked


@pytest.mark.parametrize(
    ("name", "known", "message"),
    [
        ("lstm", None, "vectors: tuned needs tokenizers.word.vectors, which has none"),
        ("lstm", WordVectors(KNOWN.ids[:0], KNOWN.vectors[:0]), "vectors: tuned needs tokenizers.word.vectors"),
        ("lstm", WordVectors(KNOWN.ids, KNOWN.vectors[:, :5]), "embedding: 8 is not the size of the vectors in tok"),
        ("transformer", WordVectors(KNOWN.ids, KNOWN.vectors[:, :4]), "word.vectors; set width: 4"),
    ],
)
def test_vectors_that_do_not_fit_are_named(name, known, message):
    config = model_entry({**MODELS[name], "vectors": "tuned"}, TRAIN, "m").config
    with pytest.raises(ParamsError, match=message):
        use_vectors(table(), config, known)

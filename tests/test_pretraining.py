"""Pretraining: what language models see, what they learn, and that each is trained once."""

import signal
from functools import partial

import numpy as np
import pytest
import torch
from conftest import MODELS, TRAIN, ended_at, killed_after, refused_without_bfloat16, toy
from torch.nn import functional as F

from textmill.errors import DataError, DivergedError, ParamsError
from textmill.models import model_entry
from textmill.text.ragged import SPECIALS, UNK, Ragged
from textmill.training import language, pretraining
from textmill.training.language import KEPT, Negatives, masked_words, masks, next_words, sampled_loss
from textmill.training.task import Fitted, Task

pytestmark = pytest.mark.slow

VOCABULARY, CLASSES = 30, 2
DATA = toy(40, VOCABULARY, CLASSES)
PLAN = {"epochs": 3, "lr": 0.02, "window": 12, "negatives": 60}
READING = ("lstm", "gru", "transformer")


def grammar(ids: int) -> Ragged:
    """Returns two texts of eight words, each repeated ten times, so that a word determines its neighbours."""
    return Ragged((SPECIALS + np.arange(ids) // 10 % 8).astype(np.int32), np.array([0, ids // 2, ids]))


def task(cache=None, corpus=None) -> Task:
    return Task(VOCABULARY, CLASSES, 7, corpus=corpus or grammar(4000), cache=cache)


def checked(name: str, **changes):
    return model_entry({**MODELS[name], "pretrain": PLAN, **changes}, TRAIN, "params.yaml: models.m")


def network(name: str, **changes) -> torch.nn.Module:
    own = checked(name, **changes)
    return own.family.build(own.config, own.settings, task())


def fit(name: str, cache=None, corpus=None, **changes) -> Fitted:
    own = checked(name, **{"epochs": 1, **changes})
    return own.family.fit(own.config, own.settings, DATA, DATA, task(cache, corpus))


def read(name: str, cache=None, corpus=None, **changes) -> tuple[dict[str, torch.Tensor], dict[str, float]]:
    """Returns the weights of a network that was only pretrained, and the summary."""
    own, given = checked(name, **changes), task(cache, corpus)
    made = own.family.build(own.config, own.settings, given)
    facts = pretraining.pretrain(made, own.config, own.settings, given)
    return made.state_dict(), facts


def same(first, second) -> bool:
    return first.keys() == second.keys() and all(np.array_equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("name", READING)
def test_the_next_word_of_a_grammar_is_learned(name):
    _, facts = read(name)
    assert facts["loss"] < np.log(8) / 2  # all eight equally likely: log(8)
    assert (facts["epochs"], facts["documents"], facts["tokens"]) == (3, 2, 4000)


@pytest.mark.parametrize("name", READING)
def test_the_body_is_trained_and_nothing_above_it(name):
    first, (last, _) = network(name).state_dict(), read(name)
    body = network(name).BODY
    for key in first:
        assert torch.equal(first[key], last[key]) != key.startswith(body), key
    assert last["embed.weight"][0].abs().sum() == 0  # PAD


def test_a_state_has_read_no_word_that_it_is_asked_for():
    """No later word forwards, no earlier word backwards."""
    for name in ("rnn", "gru", "lstm"):
        model = network(name, layers=2, bigrams=50)
        torch.nn.init.normal_(model.embed.pairs.weight)  # none of which it may see
        ids = torch.randint(2, VOCABULARY, (1, 9), generator=torch.Generator().manual_seed(0))
        states, targets = next_words(model, ids)
        assert targets.tolist() == [*ids[0, 1:].tolist(), *ids[0, :-1].tolist()]
        for step in range(9):
            other = ids.clone()
            other[0, step] = 2 + (ids[0, step] - 1) % (VOCABULARY - 2)
            moved = (next_words(model, other)[0] != states).any(1).tolist()
            ahead, behind = moved[:8], moved[8:]  # targets are words 1 to 8, and 0 to 7
            assert ahead == [asked > step for asked in range(1, 9)]
            assert behind == [asked < step for asked in range(8)]


def test_a_hidden_word_is_not_seen():
    model = network("transformer").eval()
    ids = torch.randint(2, VOCABULARY, (2, 9), generator=torch.Generator().manual_seed(0))
    places, shown = torch.tensor([[3, 7], [0, 8]]), torch.tensor([[UNK, 5], [UNK, KEPT]])
    other = ids.scatter(1, places[:, :1], (ids.gather(1, places[:, :1]) + 1) % VOCABULARY)
    states, targets = masked_words(model, ids, places, shown)
    again, _ = masked_words(model, other, places, shown)
    assert targets.tolist() == ids.gather(1, places).flatten().tolist()
    assert torch.equal(states, again)
    seen = ids.clone()
    seen[0, 3], seen[0, 7], seen[1, 0] = UNK, 5, UNK  # and [1, 8] is itself
    whole = model.states(model.embed(seen), torch.tensor([9, 9]))
    assert torch.equal(states, whole[[0, 0, 1, 1], [3, 7, 0, 8]])


def test_masks_are_those_of_bert():
    places, shown = masks(400, 40, VOCABULARY, np.random.default_rng(0))
    assert places.shape == shown.shape == (400, 6)  # 15 %
    assert all(len(set(row)) == 6 for row in places.tolist())
    assert np.bincount(places.flatten(), minlength=40).min() > 30  # 60 on average
    assert (shown == UNK).mean() == pytest.approx(0.8, abs=0.03)
    assert (shown == KEPT).mean() == pytest.approx(0.1, abs=0.02)
    assert set(shown.flatten()) == {KEPT, UNK, *range(SPECIALS, VOCABULARY)}
    assert masks(1, 2, VOCABULARY, np.random.default_rng(0))[0].shape == (1, 1)


def surprise(drawn, chance, seed=0) -> tuple[torch.Tensor, list[torch.Tensor]]:
    make = torch.Generator().manual_seed(seed)
    states, words = torch.randn(20, 5, generator=make), torch.randn(VOCABULARY, 5, generator=make)
    bias, targets = torch.randn(VOCABULARY, generator=make), torch.randint(0, VOCABULARY, (20,), generator=make)
    leaves = [part.requires_grad_() for part in (states, words, bias)]
    if drawn is None:
        loss = F.cross_entropy(states @ words.T + bias, targets)
    else:
        loss = sampled_loss(states, targets, words, bias, torch.as_tensor(drawn), torch.as_tensor(chance))
    loss.backward()
    return loss.detach(), [leaf.grad for leaf in leaves]


@pytest.mark.parametrize("rows", [7, 512])
def test_with_every_word_drawn_the_sampled_softmax_is_the_softmax(rows, monkeypatch):
    monkeypatch.setattr(language, "ROWS", rows)
    loss, gradients = surprise(np.arange(VOCABULARY), np.ones(VOCABULARY))
    whole, expected = surprise(None, None)
    torch.testing.assert_close(loss, whole)
    for found, wanted in zip(gradients, expected, strict=True):
        torch.testing.assert_close(found, wanted)


def test_more_draws_come_nearer_to_the_softmax():
    """Takes the mean of many samples, so that only bias is left."""
    _, expected = surprise(None, None)
    counts, errors = np.arange(VOCABULARY) ** 2, []
    for draws in (5, 50, 500):
        negatives, rng = Negatives(counts, draws), np.random.default_rng(0)
        means = [torch.zeros_like(part) for part in expected]
        for _ in range(200):
            for mean, part in zip(means, surprise(*negatives.draw(rng))[1], strict=True):
                mean += part / 200
        errors.append(sum(float((m - e).norm() / e.norm()) for m, e in zip(means, expected, strict=True)))
    assert errors[0] > 2 * errors[1] > 4 * errors[2]


def test_words_are_drawn_as_often_as_their_chance_says():
    counts = np.array([0, 5, 1, 40, 0, 200])
    negatives, rng = Negatives(counts, 4), np.random.default_rng(0)
    seen = np.zeros(6)
    for _ in range(4000):
        drawn, probability = negatives.draw(rng)
        assert len(set(drawn)) == len(drawn) <= 4
        assert np.array_equal(probability, negatives.probability[drawn])
        seen[drawn] += 1
    np.testing.assert_allclose(seen / 4000, negatives.probability, atol=0.03)
    assert seen[0] == seen[4] == 0  # they occur in no text
    assert Negatives(np.array([0, 0, 7]), 3).draw(rng)[1].tolist() == [1.0]


def test_windows_are_the_text_in_order_from_a_random_start():
    corpus, firsts = Ragged(np.arange(50, dtype=np.int32), np.array([0, 20, 50])), set()
    for seed in range(40):
        found = pretraining.windows(corpus, 8, np.random.default_rng(seed))
        assert set(found.lengths) == {8}
        assert found.ids.tolist() == list(range(found.ids[0], found.ids[0] + 8 * len(found)))
        assert 50 - found.ids[-1] <= 8
        firsts.add(int(found.ids[0]))
    assert firsts == set(range(8))
    assert pretraining.windows(corpus, 50, np.random.default_rng(0)).ids.tolist() == list(range(50))


@pytest.mark.parametrize("name", READING)
def test_a_batch_is_whole_windows_of_any_length(name, monkeypatch):
    shapes, heads = [], {"next_words": language.next_words, "masked_words": language.masked_words}
    for head, plain in heads.items():

        def watched(network, ids, *rest, plain=plain):
            shapes.append(ids.shape[1])
            assert (ids > 0).all()
            return plain(network, ids, *rest)

        monkeypatch.setattr(pretraining, head, watched)
    read(name, pretrain={**PLAN, "epochs": 1, "window": 33})
    assert set(shapes) == {33}


@pytest.mark.parametrize("name", READING)
def test_same_texts_same_bytes_and_other_texts_other_bytes(name):
    first, again = fit(name), fit(name)
    assert same(first.model.tensors(), again.model.tensors())
    assert not same(first.model.tensors(), fit(name, corpus=DATA.docs).model.tensors())
    assert not same(first.model.tensors(), fit(name, pretrain=None).model.tensors())
    assert fit(name, pretrain=None).pretraining is None


@pytest.mark.parametrize("name", READING)
def test_a_killed_one_goes_on_to_the_same_bytes(name, tmp_path):
    with killed_after(2):
        read(name, tmp_path)
    newest = sorted(tmp_path.glob("*/*"))[-1]
    newest.write_bytes(newest.read_bytes()[:-10])  # killed while writing: the previous one is used
    (resumed, facts), (whole, expected) = read(name, tmp_path), read(name)
    assert same(resumed, whole)
    assert facts["loss"] == expected["loss"]


@pytest.mark.parametrize("name", READING)
def test_an_interrupted_epoch_goes_on_after_its_last_update(name, tmp_path, capsys):
    with ended_at(25, partial(signal.raise_signal, signal.SIGINT)):
        read(name, tmp_path)
    (resumed, facts), (whole, expected) = read(name, tmp_path), read(name)
    assert "resuming after pretraining epoch 1 and 9 steps" in capsys.readouterr().out  # of 16 in each epoch
    assert same(resumed, whole)
    assert facts["loss"] == expected["loss"]


def test_what_is_built_on_it_does_not_read_again(tmp_path, monkeypatch):
    first, facts = read("lstm", tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(pretraining, "windows", None)  # it would be named
        second, again = read("lstm", tmp_path, dropout=0.5, pooling="mean+attention", lr=0.5, epochs=9)
        fit("lstm", tmp_path, head=[], patience=3)
    assert again == facts
    assert all(torch.equal(first[key], second[key]) for key in first if key.startswith(network("lstm").BODY))
    (kept,) = tmp_path.glob("*/*")
    assert (
        kept.stat().st_size < 1.5 * sum(4 * weight.numel() for weight in first.values()) + 20_000
    )  # no optimizer state
    for changes in ({"hidden": 9}, {"pretrain": {**PLAN, "lr": 0.01}}, {"clip": None}, {"corpus": DATA.docs}):
        kept = set(tmp_path.iterdir())
        read("lstm", tmp_path, **changes)
        assert len(left := set(tmp_path.iterdir())) == 1  # only the last one
        assert left != kept


@pytest.mark.parametrize("name", READING)
def test_frozen_words_stay_as_they_are(name):
    own, given = checked(name), task()
    made = own.family.build(own.config, own.settings, given)
    made.embed.weight.requires_grad_(False)
    first = made.embed.weight.clone()
    facts = pretraining.pretrain(made, own.config, own.settings, given)
    assert torch.equal(first, made.embed.weight)
    assert facts["loss"] < np.log(8)


def test_bfloat16_learns_the_same():
    for name in ("lstm", "transformer"):
        with refused_without_bfloat16(name):
            loss = fit(name, precision="bfloat16").pretraining["loss"]
            assert loss == pytest.approx(fit(name).pretraining["loss"], rel=0.1, abs=0.05)


def test_bad_params_and_texts_are_named():
    with pytest.raises(DataError, match="window: 12, but all texts together have 11 ids; lower it"):
        read("lstm", corpus=grammar(11))
    with pytest.raises(
        ParamsError, match=r"pretrain.window: 12 is more than max_len: 10, the limit of positions: learned"
    ):
        checked("transformer", positions="learned", max_len=10)
    with pytest.raises(ParamsError, match=r"models.m.pretrain.window: expected at least 2, found 1"):
        checked("lstm", pretrain={**PLAN, "window": 1})
    with pytest.raises(DivergedError, match=r"pretraining epoch 1, step \d+: the loss is nan; lower lr"):
        own, given = checked("gru", optimizer="sgd", clip=None), task()
        plan = own.config.pretrain.model_copy(update={"lr": 1e30})  # more than params allow
        made = own.family.build(own.config, own.settings, given)
        pretraining.pretrain(made, own.config.model_copy(update={"pretrain": plan}), own.settings, given)


def test_words_are_no_longer_than_their_norm():
    lengths = read("lstm", max_norm=0.5)[0]["embed.weight"].norm(dim=1)
    assert 0.4 < lengths.max() <= 0.5 + 1e-6


def test_learned_positions_are_trained_as_far_as_a_window():
    how = {"positions": "learned", "weight_decay": 0.0}
    moved = read("transformer", **how)[0]["positions"] != network("transformer", **how).positions
    assert moved.any(1).tolist() == [step < PLAN["window"] for step in range(41)]


def test_a_text_no_longer_than_a_window_is_read():
    assert np.isfinite(read("lstm", corpus=grammar(12))[1]["loss"])

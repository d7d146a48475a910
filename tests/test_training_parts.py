from contextlib import nullcontext
from functools import partial
from itertools import product

import numpy as np
import pytest
import torch
from conftest import CELLS, MODELS, TRAIN
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score, log_loss

from textmill.models import FAMILIES, family, model_entry
from textmill.models.architectures.transformer import attention
from textmill.networks.config import RecurrentConfig
from textmill.networks.layers import AttentionPool, pooled_max, pooled_mean, text_mask
from textmill.networks.recurrent import Reorder, reversal
from textmill.training.backward import adversarial
from textmill.training.loop import best_epoch
from textmill.training.optimizing import (
    learning_rate,
    loss_function,
    moving_average,
    optimizer,
    probabilities,
    share_learned,
)
from textmill.training.settings import TrainConfig
from textmill.training.task import Task
from textmill.training.validation import epoch_scores


@given(st.integers(2, 5), st.integers(1, 40), st.integers(0, 99))
def test_validation_scores_are_scikit_learns(classes, rows, seed):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, rows)
    proba = rng.dirichlet(np.ones(classes), rows).astype(np.float32)
    ours = epoch_scores(proba, labels)
    assert ours["accuracy"] == pytest.approx(accuracy_score(labels, proba.argmax(1)))
    assert ours["f1_macro"] == pytest.approx(
        f1_score(labels, proba.argmax(1), labels=np.unique(labels), average="macro", zero_division=0)
    )
    assert ours["log_loss"] == pytest.approx(log_loss(labels, proba, labels=range(classes)), rel=1e-4)


def recurrent(name: str, **changes) -> tuple[torch.nn.Module, torch.nn.Module]:
    """A network of two layers that pools by the last state, and torch's layer with the same weights."""
    checked = model_entry({**MODELS[name], "pooling": "last", "dropout": 0.0, **changes}, TRAIN, "m")
    ours = checked.family.build(checked.config, checked.settings, Task(20, 2, 7)).eval()
    both = checked.config.bidirectional
    theirs = CELLS[name](8, 8, checked.config.layers, batch_first=True, bidirectional=both).eval()
    for key, weight in theirs.named_parameters():  # such as weight_ih_l1_reverse
        kind, number = key.removesuffix("_reverse").rsplit("_l", 1)
        layers = ours.behind if key.endswith("_reverse") else ours.ahead
        weight.data = getattr(layers[int(number)], f"{kind}_l0").data
    return ours, theirs


def test_every_recurrent_family_is_tested():
    assert set(CELLS) == {name for name in FAMILIES if issubclass(family(name).config, RecurrentConfig)}


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("both", [True, False])
def test_recurrent_layers_are_torchs_own_on_packed_rows(name, both):
    ours, theirs = recurrent(name, bidirectional=both)
    ids, lengths = torch.randint(2, 20, (6, 9)), torch.tensor([9, 1, 4, 7, 2, 9])
    packed = torch.nn.utils.rnn.pack_padded_sequence(ours.embed(ids), lengths, batch_first=True, enforce_sorted=False)
    _, last = theirs(packed)
    last = last[0] if isinstance(last, tuple) else last  # an LSTM also gives its cells
    expected = ours.classify(torch.cat([last[-2], last[-1]], 1) if both else last[-1])
    torch.testing.assert_close(ours(ids, lengths), expected, atol=1e-6, rtol=1e-5)
    beside_others = ours.pool(ours.states(ours.embed(ids), lengths), lengths)  # as last+mean does
    assert torch.equal(ours(ids, lengths), ours.classify(beside_others))
    if name == "lstm":
        assert ours.ahead[0].bias_ih_l0[8:16].tolist() == [1.0] * 8


@pytest.mark.parametrize("name", CELLS)
def test_the_forward_half_of_two_directions_is_one_direction(name):
    (ours, _), (alone, _) = (recurrent(name, bidirectional=both, layers=1) for both in (True, False))
    alone.embed.load_state_dict(ours.embed.state_dict())
    alone.ahead.load_state_dict(ours.ahead.state_dict())
    ids, lengths = torch.randint(2, 20, (6, 9)), torch.tensor([9, 1, 4, 7, 2, 9])
    halves, one = (network.states(network.embed(ids), lengths) for network in (ours, alone))
    torch.testing.assert_close(halves[..., :8], one, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("weights", ["none", "balanced"])
@pytest.mark.parametrize(("loss", "classes", "smooth"), [("cross_entropy", 3, 0.0), ("bce", 2, 0.0), ("bce", 2, 0.2)])
def test_how_much_was_learned_runs_from_guessing_to_knowing(weights, loss, classes, smooth):
    labels = np.repeat(np.arange(classes), [50, 20, 30][:classes])
    settings = TrainConfig(loss=loss, class_weights=weights, label_smoothing=smooth)
    measure, targets = loss_function(settings, labels, classes), torch.tensor(labels)

    def lowest(rows: int) -> float:
        """Returns the lowest loss of logits that are equal for all documents, or that are free for each."""
        logits = torch.zeros(rows, 1 if loss == "bce" else classes, requires_grad=True)
        tuner = torch.optim.Adam([logits], lr=0.5)
        for _ in range(300):
            tuner.zero_grad()
            value = measure(logits.expand(len(labels), -1), targets, len(labels))
            value.backward()
            tuner.step()
        return value.item()

    assert share_learned(lowest(1), settings, labels) == pytest.approx(0, abs=1e-3)
    assert share_learned(lowest(len(labels)), settings, labels) == pytest.approx(1, abs=1e-2)


def test_reversal_leads_there_and_back_and_leaves_padding():
    states, lengths = torch.arange(12.0).view(2, 6).t()[..., None], torch.tensor([4, 6])  # (T, B, 1)
    turn = reversal(lengths, 6)
    turned = Reorder.apply(states, turn)
    assert turned[:, 0, 0].tolist() == [3, 2, 1, 0, 4, 5]
    assert turned[:, 1, 0].tolist() == [11, 10, 9, 8, 7, 6]
    assert torch.equal(Reorder.apply(turned, turn), states)
    assert torch.autograd.gradcheck(lambda at: Reorder.apply(at, turn), states.double().requires_grad_())


def test_pooling_reads_text_alone():
    states, lengths = torch.tensor([[[1.0], [3.0], [99.0]], [[-1.0], [-2.0], [-3.0]]]), torch.tensor([2, 3])
    assert pooled_mean(states, lengths).tolist() == [[2.0], [-2.0]]
    assert pooled_max(states, lengths).tolist() == [[3.0], [-1.0]]
    pool = AttentionPool(1)
    pool.score.weight.data.zero_()
    assert pool(states, lengths).tolist() == [[2.0], [-2.0]]


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("constant", [0.5, 1, 1, 1]),
        ("linear", [0.5, 1, 0.5, 0]),
        ("cosine", [0.5, 1, 0.5, 0]),
        ("plateau", [0.5, 1, 1, 1]),
    ],
)
def test_rates_rise_then_follow_their_schedule(schedule, expected):
    settings = TrainConfig(**{**TRAIN, "schedule": schedule, "warmup": 0.2, "lr": 1.0})
    assert [learning_rate(settings, done, 0) for done in (0.1, 0.2, 0.6, 1.0)] == pytest.approx(expected)
    assert learning_rate(settings, 0.6, 2) == pytest.approx(0.25 if schedule == "plateau" else expected[2])


def test_among_equal_epochs_the_less_surprised_is_best():
    rows = [(0.9, 0.5), (1.0, 0.9), (1.0, 0.2), (1.0, 0.2)]
    history = [{"validation_accuracy": a, "validation_loss": loss, "validation_f1": a} for a, loss in rows]
    assert [best_epoch(history, monitor) for monitor in ("accuracy", "f1_macro", "loss")] == [3, 3, 3]
    assert best_epoch(history[:2], "loss") == 1


def test_losses_agree_where_they_mean_the_same():
    labels = np.array([0, 0, 0, 1])
    one = torch.tensor([[-1.0], [0.5], [2.0], [0.3]])
    two = torch.cat([torch.zeros_like(one), one], 1)
    target = torch.tensor(labels)
    for weights, smooth in product(("none", "balanced"), (0.0, 0.2)):
        settings = {**TRAIN, "class_weights": weights, "label_smoothing": smooth}
        bce = loss_function(TrainConfig(**{**settings, "loss": "bce"}), labels, 2)(one, target, 4)
        cross = loss_function(TrainConfig(**settings), labels, 2)(two, target, 4)
        torch.testing.assert_close(bce, cross)
    torch.testing.assert_close(probabilities(one), probabilities(two))


@pytest.mark.parametrize(("loss", "outputs"), [("cross_entropy", 2), ("bce", 1)])
def test_smoothed_labels_are_best_met_short_of_certainty(loss, outputs):
    labels = np.array([0, 1])
    settings = TrainConfig(**{**TRAIN, "loss": loss, "label_smoothing": 0.2})
    measure, target = loss_function(settings, labels, 2), torch.tensor(labels)
    half = np.log(9) / 2  # logits +-half: 0.9 for the right class, 0.1 for the other
    sides = torch.tensor([[half, -half], [-half, half]]) if outputs == 2 else torch.tensor([[-2 * half], [2 * half]])
    best = measure(sides.float(), target, 2)
    assert float(best) == pytest.approx(-0.9 * np.log(0.9) - 0.1 * np.log(0.1))
    assert all(measure(sides.float() * by, target, 2) > best for by in (0.8, 1.2))


def test_an_average_follows_the_weights_faster_at_first():
    network = torch.nn.Linear(1, 1, bias=False)
    average, expected = moving_average(network, 0.5), None
    for done, value in enumerate([4.0, 1.0, -3.0, 2.0, 7.0, 7.0, 0.0, 0.0, 1.0, 1.0, 1.0]):
        network.weight.data.fill_(value)
        average.update_parameters(network)
        keep = min(0.5, (1 + done) / (10 + done))
        expected = value if expected is None else keep * expected + (1 - keep) * value
        assert average.module.weight.item() == pytest.approx(expected)


def test_adadelta_is_zeilers():
    network = torch.nn.Linear(1, 1, bias=False)
    tuner = optimizer(network, TrainConfig(**{**TRAIN, "optimizer": "adadelta", "lr": 1.0, "weight_decay": 0.0}))
    network.weight.data.fill_(1.0)
    network.weight.grad = torch.full((1, 1), 2.0)
    tuner.step()
    assert network.weight.item() == pytest.approx(1 - 2 * (1e-6 / (0.05 * 2**2 + 1e-6)) ** 0.5)


@pytest.mark.parametrize("name", ["lstm", "transformer"])
def test_an_adversarial_step_raises_the_loss_of_each_document(name):
    """Compares with autograd through the whole network, without shared passes."""
    checked = model_entry({**MODELS[name], "dropout": 0.0, "bigrams": 20}, TRAIN, "m")
    network = checked.family.build(checked.config, checked.settings, Task(40, 3, 7))
    ids, lengths = torch.tensor([[5, 6, 7, 8], [3, 4, 0, 0]]), torch.tensor([4, 2])
    loss = partial(torch.nn.functional.cross_entropy, target=torch.tensor([0, 2]))
    value = adversarial(network, ids, lengths, loss, nullcontext(), length=0.5)
    ours = {key: weight.grad.clone() for key, weight in network.named_parameters()}
    network.zero_grad()

    embedded = network.embed(ids)
    before = loss(network.read(embedded, lengths))
    (slope,) = torch.autograd.grad(before, embedded, retain_graph=True)
    assert not slope[1, 2:].any()  # padding does not move
    step = torch.stack([0.5 * one / one.norm() for one in slope])
    after = loss(network.read(embedded + step, lengths))
    assert after > before
    ((before + after) / 2).backward()
    torch.testing.assert_close(value, ((before + after) / 2).detach())
    for key, weight in network.named_parameters():
        torch.testing.assert_close(ours[key], weight.grad, atol=1e-6, rtol=1e-4, msg=key)


def test_an_adversarial_step_goes_without_gradients_of_frozen_vectors():
    checked = model_entry(MODELS["lstm"], TRAIN, "m")
    network = checked.family.build(checked.config, checked.settings, Task(40, 3, 7))
    network.embed.weight.requires_grad_(False)
    loss = partial(torch.nn.functional.cross_entropy, target=torch.tensor([1]))
    adversarial(network, torch.tensor([[5, 6]]), torch.tensor([2]), loss, nullcontext(), length=0.5)
    assert network.embed.weight.grad is None
    assert network.classify.weight.grad.any()


@pytest.mark.parametrize("name", ["rnn", "gru", "lstm"])
def test_states_begin_by_keeping_their_length_or_themselves(name):
    def weights(how):
        checked = model_entry({**MODELS[name], "start": how}, TRAIN, "m")
        layer = checked.family.build(checked.config, checked.settings, Task(40, 3, 7)).ahead[0]
        return layer.weight_hh_l0.detach().split(8)

    for gate in weights("orthogonal"):
        assert not torch.equal(gate, torch.eye(8))
        torch.testing.assert_close(gate @ gate.T, torch.eye(8), atol=1e-5, rtol=0)
    assert all(torch.equal(gate, torch.eye(8)) for gate in weights("identity"))


def test_the_parts_of_a_batch_add_up_to_its_loss():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 30)
    target = torch.tensor(labels[:9])
    for loss, outputs in (("cross_entropy", 2), ("bce", 1)):
        logits = torch.tensor(rng.normal(size=(9, outputs)))
        for weights in ("none", "balanced"):
            measure = loss_function(TrainConfig(**{**TRAIN, "loss": loss, "class_weights": weights}), labels, 2)
            parts = [measure(logits[part].float(), target[part], 9) for part in (slice(0, 7), slice(7, 9))]
            torch.testing.assert_close(sum(parts), measure(logits.float(), target, 9))


@pytest.mark.parametrize(("loss", "outputs"), [("cross_entropy", 2), ("bce", 1)])
def test_balanced_classes_weigh_the_same_whatever_batches_their_documents_are_in(loss, outputs):
    labels = np.array([0] * 9 + [1])
    measure = loss_function(TrainConfig(**{**TRAIN, "loss": loss, "class_weights": "balanced"}), labels, 2)
    logits, target = torch.zeros(10, outputs), torch.tensor(labels)
    whole = float(measure(logits, target, 10))
    assert whole == pytest.approx(np.log(2))
    for cut in (1, 5, 9):  # including batches without a document of the rare class
        parts = [slice(0, cut), slice(cut, 10)]
        lost = [float(measure(logits[part], target[part], len(target[part]))) * len(target[part]) for part in parts]
        assert sum(lost) / 10 == pytest.approx(whole)
    of_common, of_rare = (float(measure(logits[part], target[part], 10)) for part in (slice(0, 9), slice(9, 10)))
    assert of_common == pytest.approx(of_rare)


def test_a_class_that_is_all_but_sure_leaves_the_other_its_probability():
    one, two = probabilities(torch.tensor([[30.0]])), probabilities(torch.tensor([[0.0, 30.0]]))
    torch.testing.assert_close(one, two)
    assert one[0, 0] > 0


@pytest.mark.parametrize("steps", [5, 40])
def test_attention_in_bfloat16_is_the_fused_one_and_sees_text_alone(steps):
    query, key, value = torch.randn(3, 4, 2, steps, 8, generator=torch.Generator().manual_seed(0)).unbind()
    mask = text_mask(torch.tensor([1, 2, steps - 1, steps]), steps)[:, None, None]
    fused = attention(query, key, value, mask)
    plain = attention(query.bfloat16(), key.bfloat16(), value.bfloat16(), mask)
    torch.testing.assert_close(plain.float(), fused, atol=0.03, rtol=0.03)

"""What every family must do; a new family is tested as soon as its module exists."""

import signal
import subprocess
import sys
from functools import partial

import numpy as np
import psutil
import pytest
import torch
from conftest import (
    MODELS,
    TRAIN,
    ended_at,
    has_bfloat16,
    interrupted,
    killed_after,
    reads_what_it_says,
    refused_without_bfloat16,
    toy,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from textmill.errors import DivergedError, ParamsError, ResourceError
from textmill.models import FAMILIES, model_entry
from textmill.models import lstm as lstm_config
from textmill.models.architectures import lstm, transformer
from textmill.text.encoding import Encoded
from textmill.text.ragged import PAD, Ragged
from textmill.training import batching, checkpoint, devices, epochs, memory, neural
from textmill.training.family import NetworkFamily
from textmill.training.task import Fitted, Task
from textmill.vectors import WordVectors

VOCABULARY, CLASSES = 40, 3
DATA = toy(96, VOCABULARY, CLASSES)
RECIPES = {
    "max_norm": 1.2,
    "bigrams": 50,
    "dropout": {"embedding": 0.1, "layers": 0.05, "head": 0.0},
    "locked": False,
    "head": [32],
    "batch_documents": 12,
    "accumulate": 2,
    "label_smoothing": 0.1,
    "adversarial": 0.1,
    "ema": 0.8,
}
PLAIN = [name for name in MODELS if name != "linear"]
ENTRIES = MODELS | {f"{name} by recipes": {**MODELS[name], **RECIPES} for name in PLAIN}
NEURAL = [name for name, entry in ENTRIES.items() if entry["family"] != "linear"]
KNOWN = WordVectors(np.array([2, 3, 5]), np.random.default_rng(1).normal(0, 3, (3, 8)).astype(np.float32))


def fit(name: str, folder=None, data=DATA, classes=CLASSES, known=None, seed=7, **changes) -> Fitted:
    checked = model_entry({**ENTRIES[name], **changes}, TRAIN, "params.yaml: models.m")
    task = Task(VOCABULARY, classes, seed, known)
    return checked.family.fit(checked.config, checked.settings, data, data, task, folder)


@pytest.fixture(scope="module")
def fitted() -> dict[str, Fitted]:
    return {name: fit(name) for name in ENTRIES}


def brief(name: str, folder=None) -> Fitted:
    """Returns settings of a training that is long enough to be killed."""
    return fit(name, folder, **({"epochs": 5} if name in NEURAL else {}))


@pytest.fixture(scope="module")
def whole() -> dict[str, Fitted]:
    return {name: brief(name) for name in ENTRIES}


def pick(docs: Ragged, rows) -> Ragged:
    return Ragged(np.concatenate([docs[row] for row in rows]), np.cumsum([0, *(len(docs[row]) for row in rows)]))


@pytest.mark.parametrize("name", ENTRIES)
def test_lengths_that_are_rounded_up_change_no_score(fitted, name):
    rng = np.random.default_rng(5)
    lengths = np.arange(28, 41)  # as long as the models read
    docs = Ragged.of(rng.integers(2, VOCABULARY, lengths.sum()).astype(np.int32), lengths)
    scores = fitted[name].model.predict_proba(docs)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batching, "DIGITS", 64)  # no length is rounded up
        np.testing.assert_allclose(scores, fitted[name].model.predict_proba(docs), atol=1e-5)


@pytest.mark.parametrize("cached", [1, 13])  # steps: fewer than one row of 4; three of the 8 rows, twice, and two
def test_blocks_that_read_few_rows_at_once_change_no_gradient(monkeypatch, cached):
    def gradients(steps):
        monkeypatch.setattr(transformer, "CACHED", steps)
        checked = model_entry({**MODELS["transformer"], "dropout": 0.0}, TRAIN, "params.yaml: models.m")
        network = checked.family.build(checked.config, checked.settings, Task(VOCABULARY, CLASSES, 0))
        rng = torch.Generator().manual_seed(1)
        ids = torch.randint(2, VOCABULARY, (8, 4), generator=rng)
        logits = network(ids, torch.tensor([1, 4, 2, 3, 4, 1, 2, 4]))
        logits.square().sum().backward()
        return [logits, *(weight.grad for weight in network.parameters())]

    for found, whole in zip(gradients(cached), gradients(1000), strict=True):
        torch.testing.assert_close(found, whole, atol=1e-5, rtol=1e-5)


def test_every_family_is_tested():
    assert set(MODELS) | {"pretrained"} == set(FAMILIES)  # pretrained needs an encoder and has its own file


@pytest.mark.parametrize("name", ENTRIES)
@settings(max_examples=15)
@given(rows=st.lists(st.integers(0, len(DATA.docs) - 1), min_size=1, max_size=20))
def test_a_prediction_depends_on_nothing_but_its_document(fitted, name, rows):
    model = fitted[name].model
    whole = model.predict_proba(DATA.docs)
    np.testing.assert_allclose(model.predict_proba(pick(DATA.docs, rows)), whole[rows], atol=1e-5)


@pytest.mark.parametrize("name", NEURAL)
def test_padding_is_never_read(fitted, name):
    network = fitted[name].model.network.eval()
    ids, lengths = torch.tensor([[5, 6, 7]]), torch.tensor([3])
    garbage = torch.cat([ids, torch.tensor([[9, 9, 9, 9]])], 1)
    with torch.inference_mode():
        torch.testing.assert_close(network(ids, lengths), network(garbage, lengths), atol=1e-6, rtol=0)


@pytest.mark.parametrize("name", ENTRIES)
def test_learns_what_is_there_to_learn(fitted, name):
    predicted = fitted[name].model.predict_proba(DATA.docs).argmax(1)
    assert (predicted == DATA.labels).mean() > 0.9


@pytest.mark.parametrize("name", ENTRIES)
def test_probabilities_are_a_distribution_of_float32(fitted, name):
    scores = fitted[name].model.predict_proba(DATA.docs)
    assert scores.shape == (len(DATA.docs), CLASSES)
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores.sum(1), 1, atol=1e-5)


@pytest.mark.parametrize("name", ENTRIES)
def test_same_seed_same_bytes_and_a_saved_model_is_the_model(whole, name):
    first, again = whole[name].model.tensors(), brief(name).model.tensors()
    assert all(np.array_equal(first[key], again[key]) for key in first)
    checked = model_entry(ENTRIES[name], TRAIN, "m")
    loaded = checked.family.load(checked.config, checked.settings, first, Task(VOCABULARY, CLASSES, 7))
    assert np.array_equal(loaded.predict_proba(DATA.docs), whole[name].model.predict_proba(DATA.docs))


def test_weights_that_a_file_brings_are_not_drawn():
    before = torch.random.get_rng_state()
    with neural.SkipInit():
        torch.nn.Embedding(1000, 8)
        torch.nn.Linear(1000, 8)
        assert torch.equal(before, torch.random.get_rng_state())
        assert len(set(torch.randn(100).tolist())) > 90  # what is not a weight is
    assert not torch.equal(before, torch.random.get_rng_state())


def test_a_family_may_name_the_class_of_its_network():
    """One module is enough if it may import torch at the top."""
    checked = model_entry(ENTRIES["lstm"], TRAIN, "m")
    family = NetworkFamily(lstm_config.LSTMConfig, lstm.LSTM)
    asked = checked.config, checked.settings, Task(VOCABULARY, CLASSES, 7)
    ours, theirs = (made.build(*asked).state_dict() for made in (family, checked.family))
    assert all(torch.equal(ours[name], weight) for name, weight in theirs.items())


@pytest.mark.parametrize("name", ENTRIES)
def test_two_classes_and_a_one_id_document(name):
    data = toy(40, VOCABULARY, 2)
    model = fit(name, data=data, classes=2).model
    one = Ragged(np.array([2], np.int32), np.array([0, 1]))
    assert model.predict_proba(one).shape == (1, 2)
    assert (model.predict_proba(data.docs).argmax(1) == data.labels).mean() > 0.8


@pytest.mark.parametrize("name", NEURAL)
def test_every_weight_is_trained(name):
    checked = model_entry(ENTRIES[name], TRAIN, "m")
    network = checked.family.build(checked.config, checked.settings, Task(VOCABULARY, CLASSES, 7))
    ids = torch.randint(2, VOCABULARY, (32, 9), generator=torch.Generator().manual_seed(0))
    ids[:16, 5:] = PAD
    network(ids, torch.tensor([5, 9]).repeat_interleave(16)).square().sum().backward()
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in network.parameters())
    for table in (network.embed, network.embed.pairs):
        assert table is None or table.weight.grad[PAD].abs().sum() == 0  # PAD learns nothing


@pytest.mark.parametrize("name", NEURAL)
def test_padding_stays_zero_and_words_as_short_as_asked(fitted, name):
    tensors = fitted[name].model.tensors()
    assert all(not tensors[key][PAD].any() for key in ("embed.weight", "embed.pairs.weight") if key in tensors)
    longest = np.linalg.norm(tensors["embed.weight"], axis=1).max()
    assert longest < 1.2001 if name.endswith("recipes") else longest > 1.2001


@pytest.mark.parametrize("name", NEURAL)
def test_known_vectors_are_tuned_or_frozen(name):
    tuned, frozen = (
        fit(name, known=KNOWN, vectors=how, max_norm=None, epochs=2).model.tensors()["embed.weight"][KNOWN.ids]
        for how in ("tuned", "frozen")
    )
    assert np.array_equal(frozen, KNOWN.vectors)
    assert 0 < np.abs(tuned - KNOWN.vectors).max() < 1


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("class_weights", ["none", "balanced"])
def test_a_group_of_batches_is_one_step(name, class_weights):
    changes = {"optimizer": "sgd", "lr": 0.1, "dropout": 0.0, "epochs": 3, "class_weights": class_weights}
    whole = fit(name, **changes, batch_tokens=10_000)
    grouped = fit(name, **changes, batch_documents=10, accumulate=100)
    for key, weight in whole.model.tensors().items():
        np.testing.assert_allclose(grouped.model.tensors()[key], weight, atol=1e-5, err_msg=key)
    assert grouped.history[-1]["train_loss"] == pytest.approx(whole.history[-1]["train_loss"], abs=1e-5)


@pytest.mark.parametrize("name", NEURAL)
def test_first_loss_is_that_of_guessing(name):
    """Within a tenth of ln(C), as a mean of ten draws of weights."""
    losses = []
    for seed in range(10):
        checked = model_entry({**ENTRIES[name], "dropout": 0.0}, TRAIN, "m")
        network = checked.family.build(checked.config, checked.settings, Task(VOCABULARY, CLASSES, seed)).eval()
        ids = torch.randint(2, VOCABULARY, (64, 20), generator=torch.Generator().manual_seed(seed))
        with torch.inference_mode():
            logits = network(ids, torch.full((64,), 20))
        losses.append(float(torch.nn.functional.cross_entropy(logits, torch.arange(64) % CLASSES)))
    assert np.mean(losses) == pytest.approx(np.log(CLASSES), rel=0.1)


@pytest.mark.parametrize("name", MODELS)
def test_sixteen_documents_are_memorised(name):
    """Their labels are random, so there is nothing else to learn."""
    few, rng = toy(16, VOCABULARY, CLASSES), np.random.default_rng(2)
    drawn = Encoded(few.docs, rng.integers(0, CLASSES, 16))
    long = {} if name == "linear" else {"dropout": 0.0, "epochs": 25, "lr": 0.05, "batch_tokens": 10_000}
    found = fit(name, data=drawn, **long).model.predict_proba(drawn.docs)
    assert found.argmax(1).tolist() == drawn.labels.tolist()


@pytest.mark.parametrize("name", MODELS)
def test_another_seed_is_another_network_and_the_same_linear_model(name):
    seven, eight = (fit(name, seed=seed, **({"epochs": 1} if name in NEURAL else {})).model for seed in (7, 8))
    weights = {"classify.weight", "embed.weight"} if name in NEURAL else {"weights"}
    for key in weights:
        assert np.allclose(seven.tensors()[key], eight.tensors()[key], atol=1e-3) == (name == "linear"), key


@pytest.mark.parametrize("cut", ["head", "tail", "head+tail"])
@pytest.mark.parametrize("name", ENTRIES)
def test_what_is_cut_off_is_not_read_and_all_else_is(fitted, name, cut):
    checked = model_entry(ENTRIES[name] | ({} if name == "linear" else {"cut": cut, "max_len": 9}), TRAIN, "m")
    weights, task = fitted[name].model.tensors(), Task(VOCABULARY, CLASSES, 7)
    model = checked.family.load(checked.config, checked.settings, weights, task)
    reads_what_it_says(model, VOCABULARY, None if name == "linear" else 9)


@pytest.mark.parametrize("name", NEURAL)
def test_a_killed_run_goes_on_to_the_same_bytes(name, tmp_path, whole):
    with killed_after(3):
        brief(name, tmp_path)
    newest = sorted(tmp_path.glob("*/*"))[-1]
    newest.write_bytes(newest.read_bytes()[:-10])  # killed while writing: the previous one is used
    resumed = brief(name, tmp_path)
    assert all(np.array_equal(a, whole[name].model.tensors()[key]) for key, a in resumed.model.tensors().items())
    keep = [{k: v for k, v in row.items() if k != "seconds"} for row in resumed.history]
    assert keep == [{k: v for k, v in row.items() if k != "seconds"} for row in whole[name].history]


@pytest.mark.parametrize("name", NEURAL)
def test_an_interrupted_epoch_goes_on_after_its_last_update_to_the_same_bytes(name, tmp_path, whole, capsys):
    with ended_at(9, partial(signal.raise_signal, signal.SIGINT)):
        brief(name, tmp_path)
    newest = sorted(tmp_path.glob("*/*"))[-1].stem
    epoch, step = map(int, newest.split("-"))
    assert step + epoch > 1
    resumed = brief(name, tmp_path)
    assert f"resuming after epoch {epoch - 1} and {step} steps" in capsys.readouterr().out
    assert all(np.array_equal(a, whole[name].model.tensors()[key]) for key, a in resumed.model.tensors().items())
    keep = [{k: v for k, v in row.items() if k != "seconds"} for row in resumed.history]
    assert keep == [{k: v for k, v in row.items() if k != "seconds"} for row in whole[name].history]


def test_an_epoch_that_is_interrupted_while_it_is_kept_is_kept(tmp_path, monkeypatch, whole):
    save = checkpoint.save

    def interrupted_save(*given) -> None:
        signal.raise_signal(signal.SIGINT)
        save(*given)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(checkpoint, "save", interrupted_save)
        brief("gru", tmp_path)
    assert [path.stem for path in tmp_path.glob("*/*")] == ["00001"]
    resumed = brief("gru", tmp_path).model.tensors()
    assert all(np.array_equal(array, resumed[key]) for key, array in whole["gru"].model.tensors().items())


def test_a_long_epoch_is_kept_on_its_way(tmp_path, monkeypatch, whole):
    monkeypatch.setattr(epochs, "OFTEN", 0)
    monkeypatch.setattr(
        epochs, "KeyboardInterrupt", ZeroDivisionError, raising=False
    )  # killed, so nothing is cleaned up
    with ended_at(4, interrupted):
        brief("lstm", tmp_path)
    assert [path.stem for path in sorted(tmp_path.glob("*/*"))] == ["00001-0000002", "00001-0000003"]
    resumed = brief("lstm", tmp_path).model.tensors()
    assert all(np.array_equal(array, resumed[key]) for key, array in whole["lstm"].model.tensors().items())


def cuts(size: int) -> list[int]:
    return [size * part // 16 for part in range(16)]


def flips(size: int) -> list[int]:
    """Places all over the file."""
    return [*range(9), *range(9, size, max(1, size // 150)), size - 1]


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """The newest of two checkpoints, of the first and the second epoch."""
    folder = tmp_path_factory.mktemp("killed")
    with killed_after(2):
        brief("gru", folder)
    _, newest = sorted(folder.glob("*/*"))
    return newest


def test_a_damaged_checkpoint_gives_way_to_the_one_before(killed, whole, capsys):
    good = killed.read_bytes()
    tuner = torch.optim.Adam([torch.nn.Parameter(torch.ones(1))])

    def load(data: bytes) -> int | None:
        """The epoch that training resumes after, when the newest checkpoint has these bytes."""
        killed.write_bytes(data)
        network = torch.nn.Linear(1, 1)
        network.load_state_dict = tuner.load_state_dict = lambda state: None
        found = checkpoint.load(killed.parent, network, None, tuner)
        return found and found[0]["epoch"]

    assert load(good) == 2
    assert "damaged" not in capsys.readouterr().out
    for size in cuts(len(good)):
        assert load(good[:size]) == 1, size
    for place in flips(len(good)):
        data = bytearray(good)
        data[place] ^= 1 << place % 8
        assert load(bytes(data)) == 1, place
    assert f"{killed}: damaged; resuming without it" in capsys.readouterr().out
    killed.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    resumed = brief("gru", killed.parent.parent).model.tensors()
    assert all(np.array_equal(array, resumed[key]) for key, array in whole["gru"].model.tensors().items())


@pytest.mark.parametrize("changes", [{}, {"ema": 0.9}])
def test_no_training_begins_without_room_for_its_checkpoints(changes, tmp_path, monkeypatch):
    large = partial(fit, "lstm", hidden=128, epochs=3, **changes)
    with killed_after(2):
        large(tmp_path / "killed")
    *_, size = (path.stat().st_size for path in tmp_path.glob("killed/*/*"))
    monkeypatch.setattr(checkpoint, "free", lambda _: int(2.9 * size))
    with pytest.raises(
        ResourceError, match=r"checkpoints need [\d,]+ bytes, but only [\d,]+ are free; free some space"
    ):
        large(tmp_path / "new")
    assert not (tmp_path / "new").exists()
    large(tmp_path / "killed")  # two of its three exist
    monkeypatch.setattr(checkpoint, "free", lambda _: int(3.1 * size))
    large(tmp_path / "new")


def test_divergence_is_an_error_not_a_model():
    checked = model_entry({**ENTRIES["lstm"], "optimizer": "sgd", "clip": None}, TRAIN, "m")
    settings = checked.settings.model_copy(update={"lr": 1e30})  # more than params allow, so that it diverges at once
    with pytest.raises(DivergedError, match="epoch 1, step"):
        checked.family.fit(checked.config, settings, DATA, DATA, Task(VOCABULARY, CLASSES, 7))


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "adadelta", "sgd"])
def test_optimizers_move_the_weights(optimizer, fitted):
    assert not np.array_equal(
        fit("gru", optimizer=optimizer, epochs=1).model.tensors()["embed.weight"],
        fitted["gru"].model.tensors()["embed.weight"],
    )


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
def test_no_update_is_wasted(schedule):
    """With one epoch of one batch and a schedule that ends at 0, the weights still change."""
    checked = model_entry(MODELS["gru"], TRAIN, "m")
    start = checked.family.build(checked.config, checked.settings, Task(VOCABULARY, CLASSES, 7))
    run = fit("gru", schedule=schedule, epochs=1, batch_tokens=100_000)
    assert run.history[0]["learning_rate"] > 0
    assert not np.array_equal(run.model.tensors()["classify.weight"], start.classify.weight.detach().numpy())


def test_early_stopping_keeps_the_best_epoch():
    run = fit("lstm", patience=1, epochs=30, monitor="loss")
    losses = [row["validation_loss"] for row in run.history]
    assert run.best_epoch == int(np.argmin(losses)) + 1
    assert len(losses) == 30 or len(losses) == run.best_epoch + 1


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("lstm", {"drouput": 0.1}, "models.m.drouput: unknown key; did you mean 'dropout'?"),
        ("lstm", {"hidden": "128x"}, "models.m.hidden: expected a valid integer, found '128x'"),
        ("lstm", {"dropout": 1.0}, "models.m.dropout: expected less than 1, found 1.0"),
        ("lstm", {"lr": 0}, "models.m.lr: expected greater than 0, found 0"),
        ("lstm", {"lr": float("inf")}, "models.m.lr: expected a finite number"),
        ("lstm", {"epochs": 0}, "models.m.epochs"),
        ("lstm", {"pooling": "cls"}, "models.m.pooling"),
        ("rnn", {"forget_bias": 1.0}, "models.m.forget_bias: unknown key"),
        ("transformer", {"heads": 3}, "width: 8 is not a multiple of heads: 3"),
        ("transformer", {"width": 7, "heads": 1}, "width: 7 is odd"),
        ("transformer", {"positions": "learned", "max_len": None}, "learned needs a max_len"),
        ("transformer", {"bidirectional": True}, "models.m.bidirectional: unknown key"),
        ("linear", {"lr": 0.1}, "models.m.lr: unknown key"),
        ("linear", {"ngrams": 4}, "models.m.ngrams"),
        ("linear", {"family": "svm"}, f"models.m.family: expected one of {', '.join(FAMILIES)}"),
        ("lstm", {"device": "cuda:99"}, "cuda:99 not found; use one of cpu"),
        ("lstm", {"loss": "bce"}, "bce is for two classes, found 3"),
        ("lstm", {"dropout": {"embedding": 0.1, "layers": 1.5, "head": 0.1}}, "models.m.dropout.layers: expected less"),
        ("lstm", {"dropout": {"embedding": 0.1, "attention": 0.1}}, "models.m.dropout.attention: unknown key"),
        ("lstm", {"layers": 10**12}, "models.m.layers: expected at most 100, found 1000000000000"),
        ("lstm", {"epoch": 3}, "models.m.epoch: unknown key; did you mean 'epochs'?"),
        ("lstm", {"forget_bias": float("inf")}, "models.m.forget_bias: expected a finite number"),
        ("lstm", {"start": "zeros"}, "models.m.start"),
        ("lstm", {"head": [0]}, "models.m.head"),
        ("lstm", {"bigrams": -1}, "models.m.bigrams"),
        ("lstm", {"max_norm": 0.0}, "models.m.max_norm"),
        ("lstm", {"ema": 1.0}, "models.m.ema"),
        ("lstm", {"adversarial": 0}, "models.m.adversarial"),
        ("lstm", {"label_smoothing": 1.0}, "models.m.label_smoothing"),
        ("lstm", {"accumulate": 0}, "models.m.accumulate"),
    ],
)
def test_bad_params_are_named(name, changes, message):
    with pytest.raises(ParamsError) as error:
        fit(name, **changes)
    assert message in str(error.value)


@pytest.mark.parametrize("name", NEURAL)
def test_bfloat16_is_asked_for(fitted, name):
    model = fitted[name].model
    exact = model.predict_proba(DATA.docs)
    try:
        with refused_without_bfloat16(ENTRIES[name]["family"], training=False):
            model.predict_in("bfloat16")
            rounded = model.predict_proba(DATA.docs)
            assert rounded.dtype == np.float32
            assert 0 < np.abs(rounded - exact).max() < 0.1
    finally:
        model.predict_in("float32")


@pytest.mark.parametrize("name", PLAIN)
def test_auto_says_what_it_picked_and_trains_with_it(name):
    bfloat16 = name in ("lstm", "transformer") and has_bfloat16(name)
    picked = fit(name, precision="auto", epochs=2)
    assert picked.precision == ("bfloat16" if bfloat16 else "float32")
    named = fit(name, precision=picked.precision, epochs=2)
    assert all(np.array_equal(a, named.model.tensors()[key]) for key, a in picked.model.tensors().items())


def test_a_processor_without_bfloat16_gets_float32(monkeypatch):
    monkeypatch.setattr(devices, "_emulated", lambda: True)
    assert fit("lstm", precision="auto", epochs=1).precision == "float32"


def needs(name: str) -> int:
    """The bytes of a model's weights, gradients and two moments."""
    network = fit(name).model.network
    return sum(weight.nbytes * (4 if weight.requires_grad else 1) for weight in network.parameters())


def test_what_cannot_fit_into_memory_is_refused_before_training(monkeypatch, capsys):
    least = needs("lstm")
    capsys.readouterr()
    monkeypatch.setattr(memory, "total", lambda _: least - 1)
    with pytest.raises(
        ResourceError, match=r"needs 0\.00 GB .* there are 0\.00 GB; the largest weight is .* \(\d+ x \d+\): lower the"
    ):
        fit("lstm")
    assert "epoch" not in capsys.readouterr().out
    monkeypatch.setattr(memory, "total", lambda _: least)
    with pytest.raises(
        ResourceError, match=r"a batch of \d+ documents, the longest of \d+ ids, needs 0\.00 GB .* lower"
    ):
        fit("lstm")
    assert "epoch" not in capsys.readouterr().out
    largest = TRAIN["batch_tokens"] * MODELS["lstm"]["embedding"] * 4
    monkeypatch.setattr(memory, "total", lambda _: least + largest)
    fit("lstm")


def test_memory_is_the_least_of_machine_container_and_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "CGROUP", tmp_path)
    cpu = torch.device("cpu")
    machine = memory.total(cpu)
    assert 1 << 28 < machine < 1 << 50
    swap = psutil.swap_memory().total
    for limit, swappable, expected in (
        ("max", "max", machine),
        ("1000000", "0", 1_000_000),
        ("1000000", "max", 1_000_000 + swap),
        ("1000000", str(swap + 1), 1_000_000 + swap),
        ("nonsense", "0", machine),
    ):
        (tmp_path / "memory.max").write_text(f"{limit}\n")
        (tmp_path / "memory.swap.max").write_text(f"{swappable}\n")
        assert memory.total(cpu) == min(machine, expected)
    code = "import resource, torch; from textmill.training import memory; "
    code += "resource.setrlimit(resource.RLIMIT_AS, (20 << 30, -1)); print(memory._limit())"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(found.stdout) == 20 << 30


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes."),
    ],
)
def test_a_batch_without_memory_is_one_line(error, monkeypatch):
    def full(*_):
        raise error

    monkeypatch.setattr(lstm.LSTM, "forward", full)
    with pytest.raises(
        ResourceError, match=r"no memory left on cpu for a batch of \d+ documents, the longest of \d+ ids"
    ):
        fit("lstm")


def test_a_gpu_without_room_for_weights_and_ids_is_one_line(monkeypatch):
    def full(*_):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(batching.Loader, "__init__", full)
    with pytest.raises(ResourceError, match="no memory left on cpu for the weights and the ids of all documents"):
        fit("lstm")

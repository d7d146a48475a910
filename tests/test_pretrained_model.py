"""Family pretrained, with small random encoders: what every family must do, and what only this one does."""

import sys

import numpy as np
import pytest
import torch
from conftest import TRAIN, has_bfloat16, killed_after, reads_what_it_says, toy
from hypothesis import given, settings
from hypothesis import strategies as st
from pretrained import CONFIGS, PIECES, vocab
from safetensors.torch import load_file, save_file

from textmill.errors import ArtifactError, ParamsError, ResourceError
from textmill.extras import naming_extras
from textmill.files import read_json, write_json
from textmill.models import model_entry
from textmill.models.architectures.pretrained import build
from textmill.networks.encoders import load_weights, max_positions
from textmill.text.encoding import Encoded
from textmill.text.ragged import PAD, SPECIALS, UNK, Ragged
from textmill.training.optimizing import optimizer
from textmill.training.task import Fitted, Task

pytestmark = pytest.mark.slow

ENTRY = {"family": "pretrained", "tokenizer": "t", "pooling": "cls+mean+max", "freeze": False, "layer_decay": 0.9}
ENTRY |= {"dropout": {"attention": 0.1, "layers": 0.1, "head": 0.1}, "head": [8], "clip": 1.0, "epochs": 16, "lr": 0.01}
VOCABULARY, CLASSES = len(PIECES) + SPECIALS, 3
NO_DROPOUT = dict.fromkeys(ENTRY["dropout"], 0.0)
DATA = toy(96, VOCABULARY, CLASSES)
TOP = 3  # number of the highest of two layers, plus one

each_kind = pytest.mark.parametrize("kind", CONFIGS)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return {kind: vocab(tmp_path_factory.mktemp(kind), kind) for kind in CONFIGS}


@pytest.fixture
def folder(tmp_path):
    """Returns a copy that a test may damage."""
    return vocab(tmp_path)


def fit(encoder, folder=None, data=DATA, classes=CLASSES, **changes) -> Fitted:
    checked = model_entry({**ENTRY, **changes}, TRAIN, "params.yaml: models.m")
    task = Task(VOCABULARY, classes, 7, encoder=encoder)
    return checked.family.fit(checked.config, checked.settings, data, data, task, folder)


def network(encoder, **changes):
    checked = model_entry({**ENTRY, **changes}, TRAIN, "params.yaml: models.m")
    return build(checked.config, checked.settings, Task(VOCABULARY, CLASSES, 7, encoder=encoder))


@pytest.fixture(scope="module")
def fitted(folders):
    return {kind: fit(folders[kind]) for kind in CONFIGS}


@each_kind
def test_learns_and_gives_distributions(fitted, kind):
    scores = fitted[kind].model.predict_proba(DATA.docs)
    assert (scores.argmax(1) == DATA.labels).mean() > 0.9
    assert (scores.shape, scores.dtype) == ((len(DATA.docs), CLASSES), np.float32)
    np.testing.assert_allclose(scores.sum(1), 1, atol=1e-5)


def test_auto_trains_in_bfloat16_where_the_processor_computes_in_it(folders):
    picked = fit(folders["bert"], precision="auto", epochs=2)
    assert picked.precision == ("bfloat16" if has_bfloat16("pretrained") else "float32")
    assert np.isfinite(picked.model.predict_proba(DATA.docs)).all()


@each_kind
@settings(max_examples=10)
@given(rows=st.lists(st.integers(0, len(DATA.docs) - 1), min_size=1, max_size=20))
def test_a_prediction_depends_on_nothing_but_its_document(fitted, kind, rows):
    picked = Ragged(np.concatenate([DATA.docs[row] for row in rows]), np.cumsum([0, *DATA.docs.lengths[rows]]))
    model = fitted[kind].model
    np.testing.assert_allclose(model.predict_proba(picked), model.predict_proba(DATA.docs)[rows], atol=1e-5)


@each_kind
def test_padding_is_never_read(fitted, kind):
    model = fitted[kind].model.network.eval()
    ids, lengths = torch.tensor([[5, UNK, 7]]), torch.tensor([3])
    garbage = torch.cat([ids, torch.tensor([[9, 9, PAD, 9]])], 1)
    with torch.inference_mode():
        torch.testing.assert_close(model(ids, lengths), model(garbage, lengths), atol=1e-6, rtol=0)


@pytest.mark.parametrize("cut", ["head", "tail", "head+tail"])
def test_what_is_cut_off_is_not_read_and_all_else_is(folders, fitted, cut):
    checked = model_entry(ENTRY | {"cut": cut, "max_len": 9}, TRAIN, "m")
    task = Task(VOCABULARY, CLASSES, 7, encoder=folders["bert"])
    model = checked.family.load(checked.config, checked.settings, fitted["bert"].model.tensors(), task)
    reads_what_it_says(model, VOCABULARY, 9)


def test_sixteen_documents_are_memorised(folders):
    drawn = Encoded(toy(16, VOCABULARY, CLASSES).docs, np.random.default_rng(2).integers(0, CLASSES, 16))
    found = fit(folders["bert"], data=drawn, dropout=NO_DROPOUT, epochs=40).model.predict_proba(drawn.docs)
    assert found.argmax(1).tolist() == drawn.labels.tolist()


@each_kind
def test_states_are_the_librarys_own_on_its_own_ids(folders, kind):
    """The library gets ids and pads them itself; we give vectors."""
    ours = network(folders[kind], pooling="cls").eval()
    load_weights(ours.encoder, folders[kind] / "model.safetensors")
    ids, lengths = torch.tensor([[2, 7, UNK, 6], [8, 4, PAD, PAD]]), torch.tensor([4, 2])
    padding = CONFIGS[kind].get("pad_token_id", 0)
    theirs = torch.tensor([[11, 0, 5, 10, 4, 12], [11, 6, 2, 12, padding, padding]])
    with torch.inference_mode():
        mask = torch.tensor([[1] * 6, [1] * 4 + [0] * 2])
        expected = ours.encoder(input_ids=theirs, attention_mask=mask).last_hidden_state[:, 0]
        found = ours(ids, lengths)
        torch.testing.assert_close(found, ours.classify(ours.head(expected)), atol=1e-6, rtol=1e-5)


@each_kind
def test_same_seed_same_bytes_and_a_saved_model_is_the_model(folders, fitted, kind, tmp_path):
    first, again = fitted[kind].model.tensors(), fit(folders[kind]).model.tensors()
    assert all(np.array_equal(first[key], again[key]) for key in first)
    checked = model_entry(ENTRY, TRAIN, "m")
    (tmp_path / "encoder").mkdir()
    for path in (folders[kind].parent / "tokenizer.json", folders[kind] / "config.json"):
        (tmp_path / path.relative_to(folders[kind].parent)).write_bytes(path.read_bytes())  # the contents of a bundle
    task = Task(VOCABULARY, CLASSES, 7, encoder=tmp_path / "encoder")
    loaded = checked.family.load(checked.config, checked.settings, first, task)
    assert np.array_equal(loaded.predict_proba(DATA.docs), fitted[kind].model.predict_proba(DATA.docs))


def test_a_killed_run_goes_on_to_the_same_bytes(folders, fitted, tmp_path):
    with killed_after(3):
        fit(folders["bert"], tmp_path)
    resumed = fit(folders["bert"], tmp_path).model.tensors()
    assert all(np.array_equal(array, resumed[key]) for key, array in fitted["bert"].model.tensors().items())


@each_kind
def test_every_weight_is_trained(folders, kind):
    """Every weight that a text uses: not positions beyond its end, nor the type of a second text."""
    model = network(folders[kind])
    model(torch.tensor([[5, 6, 7], [3, 4, PAD]]), torch.tensor([3, 2])).square().sum().backward()
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in model.parameters())


@each_kind
@pytest.mark.parametrize(("freeze", "height"), [(False, 0), (1, 2), (2, TOP), (True, TOP)])
def test_what_is_frozen_stays_and_drops_nothing(folders, kind, freeze, height):
    model = network(folders[kind], freeze=freeze, layer_decay=1.0).train()
    for name, weight in model.encoder.named_parameters():
        assert weight.requires_grad == (model.layer_numbers[name] >= height)
    drops = {n: p.training for n, p in model.encoder.named_modules() if isinstance(p, torch.nn.Dropout)}
    assert all(training == (model.layer_numbers[name] >= height) for name, training in drops.items())
    assert len(set(drops.values())) == (1 if freeze in (False, 2) or freeze is True else 2)
    assert all(weight.requires_grad for weight in model.head.parameters())
    states = model.encoder(inputs_embeds=model.embed(torch.tensor([[5, 6]]))).last_hidden_state
    assert states.requires_grad == (height < TOP)  # no graph is kept for frozen layers


@each_kind
def test_dropout_is_where_it_is_asked_for(folders, kind):
    def differs(**shares) -> bool:
        model = network(folders[kind], dropout={**NO_DROPOUT, **shares}).train()
        ids, lengths = torch.tensor([[5, 6, 7]]), torch.tensor([3])
        return not torch.equal(model(ids, lengths), model(ids, lengths))

    assert not differs()
    assert all(differs(**{place: 0.5}) for place in NO_DROPOUT)


def test_training_leaves_what_is_frozen(folders):
    start = load_file(folders["bert"] / "model.safetensors")
    for freeze, moved in ((True, set()), (1, {"1"}), (False, {"embeddings", "0", "1"})):
        tensors = fit(folders["bert"], freeze=freeze, layer_decay=1.0, epochs=1).model.tensors()
        changed = {
            name.removeprefix("encoder.encoder.layer.").split(".")[0] if ".layer." in name else "embeddings"
            for name, array in tensors.items()
            if name.startswith("encoder.") and not np.array_equal(array, start[f"bert.{name[8:]}"].numpy())
        }
        assert changed == moved


@each_kind
def test_the_rate_falls_from_layer_to_layer(folders, kind):
    model = network(folders[kind], layer_decay=0.5)
    tuner = optimizer(model, model_entry(ENTRY, TRAIN, "m").settings)
    rates = {weight: group["scale"] for group in tuner.param_groups for weight in group["params"]}
    found = {name: rates[weight] for name, weight in model.named_parameters()}
    assert {rate for name, rate in found.items() if "embeddings" in name} == {0.125}
    assert {rate for name, rate in found.items() if "layer.0." in name} == {0.25}
    assert {rate for name, rate in found.items() if "layer.1." in name} == {0.5}
    assert {rate for name, rate in found.items() if not name.startswith("encoder.")} == {1.0}
    [group] = optimizer(network(folders[kind], layer_decay=1.0), model_entry(ENTRY, TRAIN, "m").settings).param_groups
    assert group["scale"] == 1.0


def test_a_scaled_rate_is_what_a_step_takes(folders):
    start = load_file(folders["bert"] / "model.safetensors")
    plain = {
        "epochs": 1,
        "batch_tokens": 10**6,
        "optimizer": "sgd",
        "clip": None,
        "dropout": NO_DROPOUT,
        "weight_decay": 0.0,
    }
    name = "encoder.layer.0.output.dense.weight"
    steps = []
    for decay in (1.0, 0.5):
        tensors = fit(folders["bert"], layer_decay=decay, **plain).model.tensors()
        steps.append(tensors[f"encoder.{name}"] - start[f"bert.{name}"].numpy())
    np.testing.assert_allclose(steps[1], 0.25 * steps[0], rtol=0.02, atol=1e-7)


@pytest.mark.parametrize("changes", [{"adversarial": 0.1}, {"ema": 0.5}, {"adversarial": 0.1, "freeze": True}])
def test_recipes_of_the_other_networks_work_here(folders, changes):
    run = fit(folders["bert"], **{"layer_decay": 1.0, "epochs": 2, **changes})
    assert np.isfinite(run.model.predict_proba(DATA.docs)).all()


def test_two_classes_and_a_one_id_document(folders):
    data = toy(40, VOCABULARY, 2)
    model = fit(folders["bert"], data=data, classes=2, loss="bce").model
    assert model.predict_proba(Ragged(np.array([UNK], np.int32), np.array([0, 1]))).shape == (1, 2)
    assert (model.predict_proba(data.docs).argmax(1) == data.labels).mean() > 0.8


@each_kind
def test_the_longest_text_fills_the_positions(folders, kind):
    """`max_len` may be the number of positions minus the special tokens, and no more."""
    model = network(folders[kind], max_len=46)
    assert max_positions(model.encoder) == 48
    model(torch.full((1, 46), 5), torch.tensor([46]))
    for length in (47, None):
        with pytest.raises(ParamsError, match=rf"max_len: {length} and 2 special tokens .* 48 .* set it to 46 or less"):
            network(folders[kind], max_len=length)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pooling": "last"}, "models.m.pooling"),
        ({"freeze": "all"}, "models.m.freeze"),
        ({"freeze": 3}, "freeze: 3, but the encoder has 2 layers"),
        ({"freeze": -1}, "models.m.freeze"),
        ({"layer_decay": 0.0}, "models.m.layer_decay: expected greater than 0"),
        ({"layer_decay": 1.1}, "models.m.layer_decay: expected at most 1"),
        ({"freeze": True, "layer_decay": 0.9}, "layer_decay: 0.9 has no effect with freeze: true"),
        ({"dropout": {**NO_DROPOUT, "head": 1.0}}, "models.m.dropout.head: expected less than 1, found 1.0"),
        ({"dropout": {"embedding": 0.1}}, "models.m.dropout.embedding: unknown key"),
        ({"freeze": 10**12}, "models.m.freeze"),
        ({"hidden": 8}, "models.m.hidden: unknown key"),
        ({"loss": "bce"}, "bce is for two classes, found 3"),
    ],
)
def test_bad_params_are_named(folders, changes, message):
    with pytest.raises(ParamsError) as error:
        fit(folders["bert"], **changes)
    assert message in str(error.value)


def test_a_tokenizer_without_an_encoder_is_named():
    with pytest.raises(ParamsError, match=r"encoder; list config\.json and model\.safetensors in tokenizers\.t"):
        fit(None)


def test_a_missing_library_is_one_line(folders, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ResourceError, match=r"^needs transformers.* pip install '.*\[pretrained\]'"), naming_extras():
        fit(folders["bert"])


# --- files ------------------------------------------------------------------------------------------------------------

DENSE = "bert.encoder.layer.0.output.dense.weight"


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda t: t.pop(DENSE), r"no tensor encoder\.layer\.0\.output\.dense\.weight, which config\.json requires"),
        (lambda t: t.update({"bert.extra": torch.ones(2)}), r"extra is not in the encoder"),
        (lambda t: t.update({DENSE: torch.ones(2, 2)}), r"dense\.weight: expected shape \(8, 16\), found \(2, 2\)"),
        (lambda t: t.update({DENSE: torch.full((8, 16), torch.nan)}), r"dense\.weight contains NaN or infinity"),
    ],
)
def test_other_weights_than_the_configs_are_refused(folder, damage, message):
    path = folder / "model.safetensors"
    tensors = load_file(path)
    damage(tensors)
    save_file(tensors, path)
    with pytest.raises(ArtifactError, match=rf"model\.safetensors: .*{message}"):
        fit(folder)


def test_weights_may_be_named_as_in_other_files(folder):
    """Files without heads and prefix, with a pooler, with TensorFlow's names, in bfloat16."""
    path = folder / "model.safetensors"
    expected = load_file(path)
    renamed = {
        name.removeprefix("bert.").replace("LayerNorm.weight", "LayerNorm.gamma").replace("Norm.bias", "Norm.beta")
        : tensor.bfloat16()
        for name, tensor in expected.items()
        if name.startswith("bert.")
    }  # fmt: skip
    beside = {"pooler.dense.weight": torch.ones(8, 8), "embeddings.position_ids": torch.arange(48)[None]}
    save_file(renamed | beside, path)
    model = network(folder)
    load_weights(model.encoder, path)
    weight = model.encoder.state_dict()["encoder.layer.1.output.LayerNorm.weight"]
    assert weight.dtype == torch.float32
    torch.testing.assert_close(weight, expected["bert.encoder.layer.1.output.LayerNorm.weight"])


@pytest.mark.parametrize("content", [b"", b"{}", b"\x80\x04pickle", bytes(8) + b"x", b"\xff" * 64])
def test_a_file_that_is_no_safetensors_is_refused(folder, content):
    (folder / "model.safetensors").write_bytes(content)
    with pytest.raises(ArtifactError, match=r"model\.safetensors: cannot be read"):
        fit(folder)
    (folder / "model.safetensors").unlink()
    with pytest.raises(ArtifactError, match=r"model\.safetensors: cannot be read"):
        fit(folder)


@pytest.mark.parametrize(
    "config",
    [
        [],
        {},
        {"model_type": "bort"},
        {"model_type": "resnet"},
        CONFIGS["bert"] | {"hidden_size": "8"},
        CONFIGS["bert"] | {"hidden_size": 9},
        {"model_type": "own", "auto_map": {"AutoConfig": "code.Own", "AutoModel": "code.Own"}},
    ],
)
def test_a_config_of_no_encoder_is_refused(folder, config):
    write_json(folder / "config.json", config)
    with pytest.raises(ArtifactError, match=r"config\.json: not the config of an encoder") as error:
        fit(folder)
    assert "\n" not in str(error.value)


def test_an_encoder_of_fewer_tokens_than_its_tokenizer_is_refused(folder):
    write_json(folder / "config.json", read_json(folder / "config.json") | {"vocab_size": 20})
    with pytest.raises(ArtifactError, match=r"config\.json: 20 tokens, but its tokenizer has 38"):
        fit(folder)

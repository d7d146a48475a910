"""What holds for every section of params and of stored files: bounds, defaults, meanings."""

from copy import deepcopy

import pytest
from conftest import MODELS, ROOT

from textmill.check import check_params
from textmill.config import load_params, validate
from textmill.errors import ParamsError
from textmill.files import write_json
from textmill.models import model_entry
from textmill.training.settings import TrainConfig

SHORT = {name: {"family": entry["family"], "tokenizer": "word"} for name, entry in MODELS.items()}


@pytest.fixture
def minimal(tmp_path):
    """Returns a function that writes a file of required keys only, changed at one dotted key."""
    whole = load_params(ROOT / "presets/csv.yaml")
    dataset = {key: whole["dataset"][key] for key in ("name", "source", "path", "text", "label")}
    whole |= {"dataset": dataset, "tokenizers": {"word": {"kind": "word"}}, "models": deepcopy(SHORT)}
    whole |= {"compare": {"alpha": 0.05}} | {key: {} for key in ("clean", "split", "train", "evaluate", "tracking")}

    def written(key: str = "", value=None):
        if key:
            *above, last = key.split(".")
            section = whole
            for part in above:
                section = section.setdefault(part, {})
            section[last] = value
        write_json(tmp_path / "params.yaml", whole)
        return tmp_path / "params.yaml"

    return written


def test_what_is_left_out_is_written_out_and_means_the_same(minimal, tmp_path):
    whole = check_params(minimal())
    assert whole["models"]["lstm"]["hidden"] == 64
    assert whole["models"]["linear"] == {**SHORT["linear"], "ngrams": 2, "min_count": 1, "weighting": "nb", "c": 1.0}
    assert whole["models"]["gru"].keys() > whole["train"].keys()
    assert whole["tokenizers"]["word"]["vectors"] is None
    write_json(tmp_path / "again.yaml", whole)
    assert check_params(tmp_path / "again.yaml") == whole


@pytest.mark.parametrize("name", SHORT)
def test_defaults_pass_their_own_checks(name):
    checked = model_entry(SHORT[name], {}, "m")
    assert validate(checked.config.model_dump(), type(checked.config), "m") == checked.config
    assert validate(TrainConfig().model_dump(), TrainConfig, "train") == TrainConfig()


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("models.lstm.layers", 10**12, "models.lstm.layers: expected at most 100, found 1000000000000"),
        ("models.rnn.hidden", 10**6, "models.rnn.hidden: expected at most 16384, found 1000000"),
        ("models.gru.bigrams", 10**8, "models.gru.bigrams: expected at most 10000000"),
        ("models.linear.c", 1e30, "models.linear.c: expected at most 1000000, found 1e+30"),
        ("threads", 10**30, f"threads: expected at most 1024, found {10**30}"),
        ("compare.bootstrap", 10**30, "compare.bootstrap: expected at most 1000000"),
        ("train.lr", 1e30, "train.lr: expected at most 1000, found 1e+30"),
        ("train.device", "cuda:1000", "train.device: expected auto, cpu, cuda or cuda:N"),
        ("split.test", 1.0, "split.test: expected less than 1, found 1.0"),
        ("clean.max_chars", 10**12, "clean.max_chars: expected at most"),
        ("train.epoch", 3, "train.epoch: unknown key; did you mean 'epochs'?"),
        ("models.lstm.epoch", 3, "models.lstm.epoch: unknown key; did you mean 'epochs'?"),
        ("dataset.label", None, "dataset.label: null, but no file of dataset.members has a label"),
        ("trackng", {}, "trackng: unknown key; did you mean 'tracking'?"),
    ],
)
def test_check_knows_what_cannot_be(minimal, key, value, message):
    with pytest.raises(ParamsError) as error:
        check_params(minimal(key, value))
    assert f"params.yaml: {message}" in str(error.value)


def test_the_files_of_an_archive_tell_how_many_classes_there_are(minimal):
    minimal("dataset.members", {"a.txt": "a", "b.txt": "b", "c.txt": "c"})
    minimal("dataset.label", None)
    minimal("dataset.path", "data/input/abc.zip")
    with pytest.raises(ParamsError, match="loss: bce is for two classes, but dataset has 3"):
        check_params(minimal("train.loss", "bce"))
    check_params(minimal("dataset.labels", ["a", "c"]))

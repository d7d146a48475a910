"""Files of every stored format can always be read; anything else is an error of one line."""

import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from conftest import ROOT
from typer.testing import CliRunner

from textmill import bundle, classifier, tokenizers
from textmill.arrays import read_arrays, write_arrays
from textmill.cli import app
from textmill.confidence import Calibration
from textmill.errors import ArtifactError, ParamsError
from textmill.files import digest, read_json, sha256, write_json
from textmill.formats import upgraded
from textmill.models import FAMILIES
from textmill.text.tokenizer import FORMAT

KEPT = ROOT / "tests/formats"  # made by the code that wrote each format first
BUNDLES = sorted((path.parent for path in KEPT.glob("bundle-*/*/config.json")), key=str)
TOKENIZERS = sorted(path for path in KEPT.glob("tokenizer-*/*.json") if path.stem != "expected")
TODAY = KEPT / f"bundle-{bundle.FORMAT}"


def named(path: Path) -> str:
    return path.relative_to(KEPT).as_posix()


def test_a_file_of_every_format_is_kept():
    wanted = [f"bundle-{number}" for number in [*bundle.UPGRADES, bundle.FORMAT]]
    wanted += [f"tokenizer-{number}" for number in [*tokenizers.UPGRADES, FORMAT]]
    assert sorted(path.name for path in KEPT.iterdir()) == sorted(wanted)
    assert sum(path.stat().st_size for path in KEPT.rglob("*") if path.is_file()) < 100_000


@pytest.mark.parametrize("folder", BUNDLES, ids=named)
def test_a_bundle_predicts_what_it_did_when_it_was_made(folder):
    expected = read_json(folder.parent / "expected.json")
    scores = expected["scores"][folder.name]
    assert bundle.read_config(folder).seeds == sorted(map(int, scores))
    for seed, wanted in scores.items():
        found = classifier.load(folder, seed=int(seed)).predict_proba(expected["texts"])
        np.testing.assert_allclose(found, wanted, atol=1e-5)
    with pytest.raises(ParamsError, match="no weights for seed 5; it has seeds "):
        classifier.load(folder, seed=5)
    shown = CliRunner().invoke(app, ["info", str(folder)]).stdout
    assert ("train.lr" in shown) == (folder.name == "lstm")


@pytest.mark.parametrize("path", TOKENIZERS, ids=named)
def test_a_tokenizer_gives_the_ids_that_it_gave_when_it_was_made(path):
    expected = read_json(path.with_name("expected.json"))[path.stem]
    docs = tokenizers.load(path).encode(pl.Series(expected["texts"]))
    assert [docs[row].tolist() for row in range(len(docs))] == expected["ids"]


def test_what_is_written_today_is_the_newest_format_to_the_byte(tmp_path):
    """A change of what is written needs a new number, and a kept file of the old format."""
    for path in (KEPT / f"tokenizer-{FORMAT}").glob("[!e]*.json"):
        tokenizers.save(tmp_path / path.name, tokenizers.load(path))
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()
    for folder in (TODAY / "linear", TODAY / "lstm"):
        config, model = bundle.read(folder)
        others = {other.seed: bundle.read(folder, other.seed)[1] for other in config.others}
        facts = {key: value for key, value in read_json(folder / "config.json").items() if key not in WRITTEN}
        assert bundle.save(tmp_path / folder.name, model, folder / "tokenizer.json", facts, others) == config
        files = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
        assert [(tmp_path / folder.name / file).read_bytes() for file in files] == [
            (folder / file).read_bytes() for file in files
        ]


WRITTEN = {"format", "calibration", "reads", "tokenizer", "weights", "encoder", "others", "digest"}  # by save itself


@pytest.fixture
def edited(tmp_path):
    """A function that copies a kept bundle and changes its config.json, with the right digest if `signed`."""

    def edit(signed: bool = True, folder: Path = TODAY / "lstm", **changes) -> Path:
        shutil.copytree(folder, tmp_path / "edited", dirs_exist_ok=True)
        config = read_json(folder / "config.json") | changes
        config = {key: value for key, value in config.items() if value is not ...}
        write_json(tmp_path / "edited/config.json", bundle.signed(config) if signed else config)
        return tmp_path / "edited"

    return edit


def refused(folder: Path) -> str:
    """Returns the line that `textmill predict` prints about a folder."""
    done = CliRunner().invoke(app, ["predict", str(folder), "zuli"])
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (4, "", 1), (done.stderr, done.exception)
    return done.stderr


@pytest.mark.parametrize(
    "changes",
    [
        {"labels": ["good", "bad"]},
        {"seed": 43},
        {"model": {**read_json(TODAY / "linear/config.json")["model"], "weighting": "tfidf"}},
        {"validation": {}},
    ],
)
def test_an_edited_config_is_seen_by_its_digest(edited, changes):
    assert "config.json: its content does not match its digest" in refused(edited(False, **changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"labels": ["bad"]}, "config.json: labels: expected"),
        ({"labels": ["bad", "bad"]}, "config.json: labels: a label occurs twice"),
        ({"weights": None}, "config.json: weights: expected a valid string, found None"),
        ({"tokenizer": None}, "config.json: tokenizer: expected"),
        ({"tokenizer": ...}, "config.json: tokenizer: missing"),
        ({"vocabulary": 10.5}, "config.json: vocabulary: expected"),
        ({"vocabulary": 11}, "model.safetensors: embed.weight: expected float32 (11, 4), found float32 (10, 4)"),
        ({"labels": ["bad", "good", "odd"]}, "config.json: train.loss: bce is for two classes, found 3"),
        ({"textmill": "0.1.0"}, "config.json: textmill: unknown key"),
        ({"reads": None}, "config.json: reads: does not fit family lstm"),
        ({"reads": {"cut": "middle"}}, "config.json: reads.cut: expected"),
        ({"model": {"family": "svm"}}, f"config.json: model.family: expected one of {', '.join(FAMILIES)}"),
        ({"model": {"family": "lstm", "tokenizer": "word", "hiden": 3}}, "config.json: model.hiden: unknown key"),
        ({"format": 2}, "config.json: not a valid file of format 2"),
        ({"format": 3}, "config.json: not a valid file of format 3"),
        ({"format": 4}, "config.json: not a valid file of format 4"),
        ({"calibration": ...}, "config.json: calibration: missing"),
        ({"calibration": {"temperature": 0.0}}, "config.json: calibration.temperature: expected greater than 0"),
        ({"calibration": {"temperature": 1.0, "steps": [{"above": 2.0, "answered": 1, "wrong": 0}]}}, "at most 1"),
        ({"format": 1}, "config.json: format: expected 2 or 3 or 4 or 5, found 1; make it again"),
        ({"format": 6}, "config.json: format: expected 2 or 3 or 4 or 5, found 6; install a newer textmill"),
        ({"format": "5"}, "config.json: format: expected 2 or 3 or 4 or 5, found '5'"),
        ({"format": ...}, "config.json: format: expected 2 or 3 or 4 or 5, found None"),
        ({"text": []}, "config.json: text: expected a length of 1 or more"),
        ({"format": 2, "train": [1]}, "config.json: not a valid file of format 2"),
    ],
)
def test_nonsense_in_a_config_is_one_line(edited, changes, message):
    assert message in refused(edited(**changes))


def test_an_edited_config_of_an_older_format_is_seen_by_its_digest(edited):
    old = KEPT / "bundle-3/linear"
    config = bundle.read_config(edited(False, old))
    assert (config.text, config.calibrations) == (["text"], {42: Calibration()})
    assert "its content does not match its digest" in refused(edited(False, old, labels=["good", "bad"]))


def test_nonsense_in_a_config_without_a_digest_is_one_line(edited):
    old = KEPT / "bundle-2/lstm"
    for changes in ({"weights": None}, {"labels": ...}, {"model": []}, {"train": None}, {"vocabulary": -1}):
        assert "config.json: " in refused(edited(False, old, **changes))
    model = {"family": "transformer", "tokenizer": "word", "positions": "learned"}
    train = {**read_json(old / "config.json")["train"], "max_len": None}
    assert "positions: learned needs a max_len" in refused(edited(False, old, model=model, train=train))


@pytest.mark.parametrize(
    "text", ["[]", "3", "{", '{"format": 3}', '{"format": 4}', "[" * 100_000, '{"format": 3, "labels": NaN}']
)
def test_what_is_no_config_at_all_is_one_line(edited, text):
    folder = edited()
    (folder / "config.json").write_text(text)
    assert "config.json: " in refused(folder)


@pytest.mark.parametrize(
    ("kind", "name", "array", "message"),
    [
        ("lstm", "embed.weight", ..., "embed.weight is missing"),
        ("lstm", "more", np.zeros(3, np.float32), "more is not a weight of this model"),
        ("lstm", "classify.bias", np.zeros(3, np.float32), "classify.bias: expected float32 (1,), found float32 (3,)"),
        ("lstm", "classify.bias", np.zeros(1), "classify.bias: expected float32 (1,), found float64 (1,)"),
        ("lstm", "classify.bias", np.zeros(1, np.float16), "classify.bias: expected float32 (1,), found float16 (1,)"),
        ("lstm", "classify.bias", np.array([np.nan], np.float32), "classify.bias contains NaN or infinity"),
        ("lstm", "classify.bias", np.array([-np.inf], np.float32), "classify.bias contains NaN or infinity"),
        ("linear", "scale", ..., "scale is missing"),
        ("linear", "keys_3", np.zeros(1, np.int64), "keys_3 is not a weight of this model"),
        ("linear", "keys_2", np.zeros(1, np.int64), "scale: expected float32"),
        ("linear", "keys_1", np.zeros((3, 2), np.int64), "keys_1: expected int64 (6,), found int64 (3, 2)"),
        ("linear", "bias", np.array([np.nan], np.float32), "bias contains NaN or infinity"),
        ("linear", "bias", np.array([1], np.int32), "bias: expected float32 (1,), found int32 (1,)"),
    ],
)
def test_weights_that_do_not_fit_are_named_with_their_file(edited, kind, name, array, message):
    folder = edited(folder=TODAY / kind)
    arrays, note = read_arrays(folder / "model.safetensors")
    arrays = {key: value for key, value in (arrays | {name: array}).items() if value is not ...}
    write_arrays(folder / "model.safetensors", arrays, note)
    sign(folder)
    assert f"model.safetensors: {message}" in refused(folder)


def sign(folder: Path) -> None:
    """Updates config.json to the weights as they are."""
    config = read_json(folder / "config.json") | {"weights": sha256(folder / "model.safetensors")}
    write_json(folder / "config.json", bundle.signed(config))


def test_weights_of_a_type_that_numpy_lacks_are_one_line(edited):
    import torch
    from safetensors.torch import save_file

    folder = edited(folder=TODAY / "lstm")
    save_file({"embed.weight": torch.zeros(10, 4, dtype=torch.bfloat16)}, folder / "model.safetensors")
    sign(folder)
    assert "model.safetensors: " in refused(folder)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lowercase": 1}, "t.json: lowercase: expected a valid boolean, found 1; run `dvc repro`"),
        ({"markup": "drop"}, "t.json: markup: expected"),
        ({"pattern": "["}, "t.json: pattern: '[' is not a regular expression"),
        ({"vocabulary": None}, "t.json: vocabulary: expected"),
        ({"vocabulary": ["<pad>", "<unk>", "a", "a"]}, "t.json: damaged tokenizer (vocabulary contains a token twice"),
        ({"patern": "x"}, "t.json: patern: unknown key; did you mean 'pattern'?"),
        ({"normalize": "NFKC"}, "t.json: normalize: expected"),
        ({"format": 3}, "t.json: format: expected 1 or 2, found 3; install a newer textmill"),
        ({"kind": ["word"]}, "t.json: not a tokenizer"),
    ],
)
def test_nonsense_in_a_tokenizer_is_one_line(tmp_path, changes, message):
    write_json(tmp_path / "t.json", read_json(KEPT / "tokenizer-2/word.json") | changes)
    with pytest.raises(ArtifactError) as error:
        tokenizers.load(tmp_path / "t.json")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_upgrades_are_a_chain():
    steps = {1: lambda old: {**old, "b": old["a"] + 1}, 2: lambda old: {"c": old["b"] * 10}}
    assert upgraded({"format": 1, "a": 1}, Path("x.json"), 3, steps) == {"c": 20}
    assert upgraded({"format": 3, "c": 5}, Path("x.json"), 3, steps) == {"format": 3, "c": 5}
    with pytest.raises(ArtifactError, match=r"x.json: not a valid file of format 1 \('a'\)"):
        upgraded({"format": 1}, Path("x.json"), 3, steps)


def test_the_digest_is_of_all_the_rest():
    config = read_json(TODAY / "lstm/config.json")
    assert config["digest"] == digest({key: value for key, value in config.items() if key != "digest"})
    assert list(config)[-1] == "digest"

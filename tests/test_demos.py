"""The demos' foundations, and each demo on made-up data."""

import json
import re
from types import SimpleNamespace

import abstaining
import choosing
import corpora
import coverage
import first_rows
import folds
import more_labels
import numpy as np
import padding
import polars as pl
import pytest
import recipes
import suspects
import temperature
import trained
import trial
import twins
import vocabulary
from conftest import ROOT, toy
from trained import Answers, Model

from textmill.annotation import curve
from textmill.files import sha256
from textmill.text.ragged import PAD
from textmill.text.subset import subset

SCRIPTS = (padding, vocabulary, choosing, folds, twins, first_rows, recipes, coverage, suspects, more_labels)
WORDS = {"bad": ["dull", "awful", "weak"], "good": ["great", "warm", "sharp"]}


def made_up(preset: str, as_filed: bool = False) -> tuple[pl.DataFrame, list[str]]:
    """120 sentences of two classes, two thirds of them to train, as the demos' `documents` gives them."""
    rng = np.random.default_rng(0)
    rows = []
    for number in range(120):
        label = ("bad", "good")[number >= 60]
        words = [*rng.choice(["the", "film", "plot", "was"], 4), *rng.choice(WORDS[label], 2)]
        rows.append({"id": f"{number:03}", "text": " ".join(words) + f" {number % 50}", "label": label, "group": None})
    split = ["train", "train", "test"] * 40
    return pl.DataFrame(rows).with_columns(split=pl.Series(split), group=pl.lit(None, pl.String)), ["bad", "good"]


@pytest.mark.parametrize("demo", SCRIPTS, ids=lambda demo: demo.__name__)
def test_each_demo_tells_a_table_and_keeps_it(demo, tmp_path, monkeypatch, capsys):
    small = {"TRAIN": 60, "VALIDATION": 20, "TEST": 30, "EPOCHS": 1, "SEEDS": range(2), "DRAWS": 3, "JUDGES": (20,)}
    small |= {"ROWS": 10, "FOLDS": 2, "SIZES": {"train": 60, "validation": 20, "test": 20}}
    if demo is twins:
        del small["TEST"]
    if demo is recipes:  # all of it out of the 80 training documents
        small |= {"TRAIN": 30, "HELD_OUT": 25}
    for name in small.keys() & vars(demo).keys():
        monkeypatch.setattr(demo, name, small[name])
    monkeypatch.setattr(demo, "documents", made_up, raising=False)
    monkeypatch.setattr(curve, "FEWEST", 5)
    monkeypatch.setattr(trial, "RESULTS", tmp_path / "results")
    monkeypatch.chdir(tmp_path)
    demo.main()
    kept = json.loads((tmp_path / f"results/{demo.__name__}.json").read_text())
    assert len({tuple(row) for row in kept["rows"]}) == 1
    assert kept["title"][:20] in capsys.readouterr().out
    assert (ROOT / f"demos/results/{demo.__name__}.json").is_file()


def test_padded_documents_are_as_long_as_the_limit():
    data = toy(20, 50, 2)
    padded = padding.padded(data, 12)
    assert set(padded.docs.lengths) == {12}
    for row in range(20):
        own = data.docs[row][:12]
        assert padded.docs[row].tolist() == [*own, *[PAD] * (12 - len(own))]
    assert padded.labels is data.labels


def test_recipes_are_measured_on_training_texts_that_trained_nothing():
    docs, _ = made_up("imdb")
    copies = pl.Series(["The same  TEXT", "the same text"] * 20 + [None] * 80)
    parts = recipes.held_out(docs.with_columns(text=pl.coalesce(copies, "text")), 20)
    assert parts.filter(split="test").height == 20
    assert set(parts["id"]) < set(docs.filter(split="train")["id"])
    assert parts["text"].str.to_lowercase().str.contains("the same +text").sum() == 1


def test_luck_is_what_the_winner_loses():
    rng = np.random.default_rng(0)
    coins = rng.random((10, 2000)) < 0.5
    reported, true = choosing.optimism(coins, 100, 50, rng)
    assert reported > 0.54
    assert abs(true - 0.5) < 0.02
    sure = np.stack([np.ones(2000, bool), np.zeros(2000, bool)])
    assert choosing.optimism(sure, 100, 5, rng) == (1.0, 1.0)


def test_folds_hold_every_text_once_and_keep_equal_ones_together():
    fold = folds.folds([*map(str, range(95)), "1", "1", "2"], 10, np.random.default_rng(0))
    assert np.bincount(fold[:95]).tolist() == [10] * 5 + [9] * 5
    assert fold[1] == fold[95] == fold[96]
    assert fold[2] == fold[97]


def test_every_epoch_is_watched_on_every_document():
    data = toy(40, 30, 2)
    with choosing.watched() as right:
        trial.fit(trial.entry("mr", "lstm", epochs=3, patience=None), data, data, 30, seed=0)
    assert [one.shape for one in right] == [(40,)] * 3


def test_twins_are_texts_and_words():
    train, test = pl.Series(["Un libro 12", "nada"]), pl.Series(["Un libro 12", "Un libro 7", "otro"])
    assert twins.twins(train, test) == pytest.approx(1 / 3)
    labelled = [
        pl.DataFrame({"text": texts, "label": labels})
        for texts, labels in ((train, ["a", "b"]), (test, ["a", "a", "a"]))
    ]
    assert twins.remembered(*labelled) == (pytest.approx(2 / 3), pytest.approx(2 / 3))


def test_one_class_has_no_f1():
    data = toy(60, 30, 2)
    fitted = trial.fit(trial.entry("imdb", "linear", min_count=1), data, data, 30, seed=0)
    first = first_rows.scored(fitted, subset(data, np.flatnonzero(data.labels == 0)), ["neg", "pos"])
    assert first["F1 of pos"] == "0.0"
    assert float(first["F1 of neg"]) > 90


def test_unknown_words_are_counted():
    docs, labels = made_up("any")
    codec = corpora.tokenizer(docs["text"][:60], "mr", min_freq=1)
    assert vocabulary.unknown(corpora.encode(docs[:60], codec, labels)) == 0
    assert vocabulary.unknown(corpora.encode(docs[60:], codec, labels)) > 0.2


def test_documents_are_those_of_the_pipeline(tmp_path, monkeypatch):
    file = tmp_path / "comentarios/comentarios.csv"
    file.parent.mkdir()
    file.write_text("comentario,categoria\nuno,b\ndos,a\ntres,b\ncuatro,a\n")
    preset = (ROOT / "presets/comentarios.yaml").read_text()
    (tmp_path / "comentarios.yaml").write_text(re.sub("[0-9a-f]{64}", sha256(file), preset))
    monkeypatch.setattr(corpora, "PRESETS", tmp_path)
    monkeypatch.setenv("TEXTMILL_HUB_MIRROR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    docs, labels = corpora.documents("comentarios")
    filed, _ = corpora.documents("comentarios", as_filed=True)
    assert labels == ["a", "b"]
    assert filed["text"].to_list() == ["uno", "dos", "tres", "cuatro"]
    assert docs["id"].is_sorted()
    assert set(docs["text"]) == set(filed["text"])


def said(rows: int, seed: int) -> Answers:
    """Answers of a model that is twice as confident as it should be, in groups of four documents."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 1.5, rows)
    second = 1 / (1 + np.exp(-2 * logits))
    labels = (rng.random(rows) < 1 / (1 + np.exp(-logits))).astype(int)
    return Answers(np.stack([1 - second, second], 1).astype(np.float32), labels, np.arange(rows) // 4 + 1000 * seed)


@pytest.mark.parametrize("demo", [abstaining, temperature], ids=lambda demo: demo.__name__)
def test_demos_of_trained_models_tell_a_table_and_keep_it(demo, tmp_path, monkeypatch, capsys):
    small = {"CUTS": 3, "DRAWS": 3, "SIZES": (20, 60)}
    for name in small.keys() & vars(demo).keys():
        monkeypatch.setattr(demo, name, small[name])
    monkeypatch.setattr(demo, "trained", lambda: {"made-up": Model(2.0, said(100, 0), said(200, 1))})
    monkeypatch.setattr(trial, "RESULTS", tmp_path / "results")
    demo.main()
    kept = json.loads((tmp_path / f"results/{demo.__name__}.json").read_text())
    assert len({tuple(row) for row in kept["rows"]}) == 1
    assert kept["title"][:20] in capsys.readouterr().out
    assert (ROOT / f"demos/results/{demo.__name__}.json").is_file()


def test_a_plug_in_threshold_breaks_many_promises_and_ours_few():
    sure, right = said(4000, 2).at(2.0)
    rng = np.random.default_rng(0)
    cuts = [abstaining.halved(sure, right, np.arange(4000), rng) for _ in range(60)]
    broken = {name: np.mean([cut[name][1] for cut in cuts]) for name in abstaining.THRESHOLDS}
    shares = {name: np.mean([cut[name][0] for cut in cuts]) for name in abstaining.THRESHOLDS}
    assert broken["plug-in"] > 0.3
    assert max(broken["SGR"], broken["--risk"]) < 0.08
    assert shares["plug-in"] > shares["SGR"] > 0.1
    assert shares["--risk"] > 0.8 * shares["SGR"]


def test_thresholds_by_hand():
    sure, right = np.array([0.9, 0.8, 0.7, 0.6]), np.array([True, True, False, True])
    assert abstaining.plug_in(sure, right, 0.1) == 0.7
    assert abstaining.plug_in(sure, right, 0.25) == 0.0
    assert abstaining.plug_in(sure, ~right, 0.1) is None
    assert abstaining.sgr(sure, right, 0.5) is None  # four documents show nothing


def test_what_trained_models_said_is_read_with_its_groups(tmp_path, monkeypatch):
    documents = [("a", "x"), ("b", "x"), ("c", None), ("d", "y")]
    (tmp_path / "data/split").mkdir(parents=True)
    for split, rows in (("validation", documents[:2]), ("test", documents[2:])):
        pl.DataFrame(rows, ["id", "group"], orient="row").write_parquet(tmp_path / f"data/split/{split}.parquet")
    (tmp_path / "params.yaml").write_text("models: {one: {}}\n")
    validation, test = (
        {4: pl.DataFrame({"id": ids, "label": ["n", "p"], "p:n": [0.8, 0.2], "p:p": [0.2, 0.8]})}
        for ids in (["a", "b"], ["c", "d"])
    )
    scores = SimpleNamespace(labels=["n", "p"], temperatures=[SimpleNamespace(seed=4, temperature=2.0)])
    told = SimpleNamespace(
        fit=SimpleNamespace(seed=4), scores=scores, tests=lambda: test, validation=lambda: validation
    )
    monkeypatch.setattr(trained, "Outcome", SimpleNamespace(read={tmp_path / "metrics/models/one": told}.get))
    (found,) = trained.trained(tmp_path).values()
    assert len(set(found.both.groups)) == 3
    assert found.validation.groups[0] == found.validation.groups[1]
    np.testing.assert_allclose(found.test.probabilities[0], [16 / 17, 1 / 17], rtol=1e-5)
    sure, right = found.test.at(2.0)
    assert (sure.tolist(), right.tolist()) == (pytest.approx([0.8, 0.8]), [True, True])

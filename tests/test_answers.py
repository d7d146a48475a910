"""The errors on the page: which documents, in which order, and which model is right where others are wrong."""

from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from textmill.report import answers as shown
from textmill.report.answers import answers

IDS = ["a", "b", "c", "d", "e"]
LABELS = ["pos", "neg", "pos", "neg", "pos"]
SAID = {"linear": ["pos", "pos", "neg", "neg", "pos"], "lstm": ["pos", "pos", "pos", "pos", "pos"]}
SURE = {"linear": [0.9, 0.6, 0.8, 0.7, 0.5], "lstm": [0.9, 0.7, 0.6, 0.99, 0.5]}
TEXTS = pl.DataFrame({"id": IDS[::-1], "text": [f"text of {one}" for one in IDS[::-1]]})


@pytest.fixture
def models(tmp_path):
    for name in SAID:
        (tmp_path / name).mkdir()
        rows = {"id": IDS, "label": LABELS, "prediction": SAID[name], "confidence": SURE[name]}
        pl.DataFrame(rows).write_parquet(tmp_path / name / "predictions.parquet")
    return {name: SimpleNamespace(folder=tmp_path / name) for name in SAID}


def test_the_champions_most_confident_errors_come_first(models):
    found = answers(models, [TEXTS[:2], TEXTS[2:]], "linear")
    assert (found.wrong, [one.id for one in found.shown]) == (3, ["c", "b", "d"])
    first = found.shown[0]
    assert (first.text, first.label) == ("text of c", "pos")
    assert [one.prediction for one in first.answers] == ["neg", "pos"]
    assert [one.right for one in first.answers] == [False, True]
    assert found.alone == {"linear": {"lstm": 1}, "lstm": {"linear": 1}}
    assert [one.id for one in answers(models, [TEXTS], "lstm").shown] == ["d", "b", "c"]


def test_too_many_errors_are_limited_by_number_and_size(models, monkeypatch):
    errors = np.array([[0.9, 0.8, 0.7, -1, -1], [-1, -1, -1, 0.6, 0.5]])
    assert shown.shown(errors, 0, most=2).tolist() == [0, 3]  # each model's most confident one
    assert shown.shown(errors, 1, most=9).tolist() == [3, 4, 0, 1, 2]
    monkeypatch.setattr(shown, "SIZE", 400)
    found = answers(models, [TEXTS], "linear")
    assert (found.wrong, len(found.shown)) == (3, 2)


def test_no_errors_are_no_documents(models):
    for model in models.values():
        table = pl.read_parquet(model.folder / "predictions.parquet")
        table.with_columns(prediction="label").write_parquet(model.folder / "predictions.parquet")
    assert answers(models, [TEXTS], "linear").shown == []

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textmill.errors import ArtifactError, ParamsError
from textmill.judging import scoring
from textmill.judging.comparison import CompareConfig, compare
from textmill.judging.ensembles import Member, average, check_ensembles, combine

LABELS = ["no", "yes"]
MODELS = ["lstm", "gru", "linear"]


def table(seed: int, rows: int = 60) -> pl.DataFrame:
    """Predictions of the same documents, whatever the seed."""
    positive = np.random.default_rng(seed).random(rows).astype(np.float32)
    ids = pl.Series([f"{row:04}" for row in range(rows)])
    proba = np.stack([1 - positive, positive], axis=1)
    return scoring.predictions(ids, np.arange(rows) % 2, LABELS, proba, np.full(rows, 9))


def member(*seeds: int, parameters: int = 10) -> Member:
    tables = [{seed: table(seed + more) for seed in seeds} for more in (0, 100)]
    return Member(Path("metrics/gru"), "word", parameters, LABELS, *tables)


def paths(file: str) -> dict[str, Path]:
    return {name: Path(f"metrics/{name}/{file}.parquet") for name in MODELS}


def proba(frame: pl.DataFrame) -> np.ndarray:
    return frame.select("p:no", "p:yes").to_numpy()


@given(st.permutations(range(60)))
def test_rows_are_aligned_by_document_and_not_by_place(order):
    a, b = table(1), table(2)
    mean = average({"lstm": a, "gru": b[order]}, LABELS, paths("predictions"))
    np.testing.assert_allclose(proba(mean), (proba(a) + proba(b)) / 2, atol=1e-7)
    assert mean.select("id", "label").equals(a.select("id", "label"))


def test_other_documents_or_labels_are_refused():
    a, b = table(1), table(2)
    with pytest.raises(ArtifactError, match=r"metrics/gru/predictions.parquet: nothing .* where lstm has 0059 \(yes\)"):
        average({"lstm": a, "gru": b[:59]}, LABELS, paths("predictions"))
    other = b.with_columns(label=pl.lit("no"))
    with pytest.raises(ArtifactError, match=r"gru/validation.parquet: 0001 \(no\), where lstm has 0001 \(yes\); run"):
        average({"lstm": a, "gru": other}, LABELS, paths("validation"))
    with pytest.raises(ArtifactError, match=r"metrics/gru/scores.json: labels differ from those of lstm"):
        combine({"lstm": member(1), "gru": member(2)._replace(labels=["yes", "no"])})


def test_equal_members_score_as_each_of_them():
    one = member(3)
    both = combine({"lstm": one, "gru": one})
    assert both.scores == scoring.headline(one.test[3], LABELS)
    assert (both.test.predicted[0] == scoring.classes_of(one.test[3], "prediction", LABELS)).all()
    assert (both.validation.predicted[0] == scoring.classes_of(one.validation[3], "prediction", LABELS)).all()
    assert both.log_loss == scoring.headline(one.validation[3], LABELS)["log_loss"]
    assert (both.parameters, both.tokenizer) == (20, "word")


def test_a_run_takes_one_seed_of_each_member():
    members = {"lstm": member(5, 4, 6), "linear": member(9)}
    found = combine(members)
    assert len(found.test.predicted) == 3
    for said, seed in zip(found.test.predicted, (4, 5, 6), strict=True):
        mean = average({"lstm": table(seed), "linear": table(9)}, LABELS, paths("predictions"))
        assert (said == scoring.classes_of(mean, "prediction", LABELS)).all()
    each = (found.test.predicted == found.test.actual).mean(1)
    assert np.std(each) > 0
    assert found.scores["accuracy"] == pytest.approx(np.mean(each), abs=1e-6)


def test_the_comparison_ranks_an_ensemble_and_ships_a_model():
    config = CompareConfig(metric="accuracy", alpha=0.05, ensembles={"both": ["lstm", "gru"]})
    both = combine({"lstm": member(1), "gru": member(2)})
    best = replace(both, validation=replace(both.validation, predicted=both.validation.actual[None]))
    lstm = replace(both, family="lstm")
    result = compare(config, 1, "x", {"no": 1, "yes": 2}, {"lstm": lstm, "both": best})
    assert [model.wins for model in result.models] == [None, 1]
    assert [model.name for model in result.models] == ["both", "lstm"]
    assert [model.members for model in result.models] == [["lstm", "gru"], []]
    assert result.champion == "lstm"
    assert result.pairs[0].a == "both"


@pytest.mark.parametrize(
    ("ensembles", "message"),
    [
        ({"both": ["lstm", "gur"]}, "compare.ensembles.both: 'gur' is not a model; did you mean 'gru'?"),
        ({"gru": ["lstm", "linear"]}, "compare.ensembles.gru: a model has this name"),
        ({"both": ["lstm", "lstm"]}, "compare.ensembles.both: a model occurs twice"),
        ({"a": ["lstm", "gru"], "b": ["a", "gru"]}, "compare.ensembles.b: 'a' is not a model"),
    ],
)
def test_names_that_cannot_be(ensembles, message):
    with pytest.raises(ParamsError) as refused:
        check_ensembles(ensembles, MODELS, "params.yaml: compare.ensembles")
    assert message in str(refused.value)

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score

from textmill.judging import scoring

LABELS = ["neg", "neutral", "pos"]


def table(rows: int, classes: int = 3, seed: int = 0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    proba = rng.dirichlet(np.ones(classes), rows).astype(np.float32)
    ids = pl.Series([f"{number:05}" for number in rng.permutation(rows)])
    return scoring.predictions(ids, rng.integers(0, classes, rows), LABELS[:classes], proba, rng.integers(1, 50, rows))


@given(st.integers(2, 3), st.integers(1, 60), st.integers(0, 50))
def test_scores_are_scikit_learns_and_consistent(classes, rows, seed):
    frame = table(rows, classes, seed)
    scores = scoring.all_scores({0: frame}, 0, LABELS[:classes])
    actual, predicted = frame["label"].to_list(), frame["prediction"].to_list()
    assert scores.accuracy == pytest.approx(accuracy_score(actual, predicted), abs=1e-6)
    macro = f1_score(actual, predicted, labels=LABELS[:classes], average="macro", zero_division=0)
    assert scores.f1_macro == pytest.approx(macro, abs=1e-6)
    assert np.sum(scores.confusion) == scores.rows == rows
    assert sum(part.rows for part in scores.calibration) == rows
    assert (scores.binary is not None) == (classes == 2)
    if len(set(actual)) < classes:
        assert scores.roc_auc is None
    elif classes == 2:
        assert scores.roc_auc == pytest.approx(
            roc_auc_score(np.array(actual) == "neutral", frame["p:neutral"]), abs=1e-6
        )


def test_calibration_error_by_hand():
    confidence, right = np.array([0.95, 0.95, 0.65, 0.65]), np.array([True, True, True, False])
    assert scoring.calibration_error(confidence, right) == pytest.approx((2 * 0.05 + 2 * 0.15) / 4)
    assert scoring.calibration_error(np.ones(3), np.ones(3, bool)) == 0


def test_predictions_are_in_the_order_of_ids_and_must_be_distributions():
    frame = table(20)
    assert frame["id"].is_sorted()
    assert frame.columns == ["id", "label", "prediction", "confidence", "tokens", "p:neg", "p:neutral", "p:pos"]
    with pytest.raises(ValueError, match="row 1: probabilities do not sum to 1"):
        scoring.predictions(
            pl.Series(["a", "b"]), np.array([0, 1]), ["x", "y"], np.array([[0.5, 0.5], [0.9, 0.9]]), np.ones(2)
        )


def test_errors_are_the_most_confident_first_with_their_texts():
    frame = table(200).with_columns(unknown=pl.lit(0.125, pl.Float32))
    texts = pl.DataFrame({"id": frame["id"], "text": ["word " * 500] * 200})
    errors = scoring.mistakes(frame, [texts[:90], texts[90:]]).root
    assert len(errors) == scoring.ERRORS
    assert all(e.label != e.prediction and len(e.text) == scoring.EXCERPT for e in errors)
    assert {e.unknown for e in errors} == {0.125}
    assert [e.confidence for e in errors] == sorted((e.confidence for e in errors), reverse=True)
    right = frame.filter(pl.col("label") == pl.col("prediction"))
    assert scoring.mistakes(right, [texts]).root == []

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    f1_score,
    log_loss,
    precision_recall_fscore_support,
    roc_auc_score,
)

from textmill.errors import DivergedError
from textmill.judging import scoring
from textmill.judging.metrics import METRICS

LABELS = ["neg", "neutral", "pos"]


def table(rows: int, classes: int = 3, seed: int = 0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    proba = rng.dirichlet(np.ones(classes), rows).astype(np.float32)
    ids = pl.Series([f"{number:05}" for number in rng.permutation(rows)])
    return scoring.predictions(ids, rng.integers(0, classes, rows), LABELS[:classes], proba, rng.integers(1, 50, rows))


def tied(frame: pl.DataFrame, classes: int) -> pl.DataFrame:
    """Predictions whose probabilities are quarters, so that many are equal."""
    proba = np.round(4 * frame.select(f"p:{label}" for label in LABELS[:classes]).to_numpy()) / 4
    proba[:, 0] = 1 - proba[:, 1:].sum(1)
    proba = np.where(proba.min(1, keepdims=True) < 0, 1 / np.float32(classes), proba)
    actual = np.array([LABELS.index(label) for label in frame["label"]])
    return scoring.predictions(frame["id"], actual, LABELS[:classes], proba, frame["tokens"].to_numpy())


@settings(max_examples=60)
@given(st.integers(2, 3), st.integers(1, 60), st.integers(0, 50), st.booleans())
def test_scores_are_scikit_learns_and_consistent(classes, rows, seed, ties):
    frame = table(rows, classes, seed)
    frame = tied(frame, classes) if ties else frame
    scores = scoring.all_scores({0: frame}, 0, LABELS[:classes])
    actual, predicted = frame["label"].to_list(), frame["prediction"].to_list()
    proba = frame.select(f"p:{label}" for label in LABELS[:classes]).to_numpy().astype(np.float64)
    assert scores.accuracy == pytest.approx(accuracy_score(actual, predicted), abs=1e-6)
    there = sorted(set(actual))
    for average in ("macro", "weighted"):
        each = precision_recall_fscore_support(actual, predicted, labels=there, average=average, zero_division=0)
        for side, value in zip(("precision", "recall", "f1"), each, strict=False):
            assert getattr(scores, f"{side}_{average}") == pytest.approx(value, abs=1e-6)
    assert scores.confusion == confusion_matrix(actual, predicted, labels=LABELS[:classes]).tolist()
    whole = np.clip(proba, 1e-7, 1) / np.clip(proba, 1e-7, 1).sum(1, keepdims=True)
    assert scores.log_loss == pytest.approx(log_loss(actual, whole, labels=LABELS[:classes]), rel=1e-5, abs=1e-6)
    assert np.sum(scores.confusion) == scores.rows == rows
    assert np.trace(scores.confusion) / rows == pytest.approx(scores.accuracy, abs=1e-6)
    assert f1_score(actual, predicted, average="micro") == pytest.approx(scores.accuracy, abs=1e-6)
    assert sum(part.rows for part in scores.calibration) == rows
    assert (scores.binary is not None) == (classes == 2)
    if len(there) == 1:
        assert scores.roc_auc is None
    else:
        number = {label: LABELS.index(label) for label in there}
        sides = [LABELS[1]] if len(there) == classes == 2 else there
        areas = [roc_auc_score(np.array(actual) == label, proba[:, number[label]]) for label in sides]
        assert scores.roc_auc == pytest.approx(np.mean(areas), abs=1e-6)


@settings(max_examples=40)
@given(st.integers(1, 60), st.integers(0, 50))
def test_the_area_of_turned_answers_is_the_rest(rows, seed):
    plain = table(rows, 2, seed)
    turned = plain.with_columns(pl.col("p:neutral").alias("p:neg"), pl.col("p:neg").alias("p:neutral"))
    before, after = (scoring.headline(frame, LABELS[:2])["roc_auc"] for frame in (plain, turned))
    assert (before is None) == (after is None)
    assert before is None or before == pytest.approx(1 - after, abs=2e-6)


@settings(max_examples=20)
@given(st.integers(1, 60), st.integers(0, 50), st.integers(0, 9))
def test_the_order_of_documents_changes_no_byte(rows, seed, order):
    frame = table(rows, 3, seed)
    shuffled = np.random.default_rng(order).permutation(rows)
    other = frame[shuffled.tolist()]
    actual = np.array([LABELS.index(label) for label in other["label"]])
    proba = other.select(f"p:{label}" for label in LABELS).to_numpy()
    again = scoring.predictions(
        other["id"], actual, LABELS, proba, other["tokens"].to_numpy(), other["unit"].to_numpy()
    )
    assert again.equals(frame)
    assert scoring.all_scores({0: again}, 0, LABELS) == scoring.all_scores({0: frame}, 0, LABELS)


def test_calibration_error_by_hand():
    confidence, right = np.array([0.95, 0.95, 0.65, 0.65]), np.array([True, True, True, False])
    assert scoring.calibration_error(confidence, right) == pytest.approx((2 * 0.05 + 2 * 0.15) / 4)
    assert scoring.calibration_error(np.ones(3), np.ones(3, bool)) == 0


def answers(*pairs: tuple[str, str], confidence: float = 0.8) -> pl.DataFrame:
    """Predictions of documents with these labels and answers."""
    classes, said = ([LABELS.index(pair[side]) for pair in pairs] for side in (0, 1))
    proba = np.full((len(pairs), 3), (1 - confidence) / 2)
    proba[np.arange(len(pairs)), said] = confidence
    ids = pl.Series([f"{number:05}" for number in range(len(pairs))])
    return scoring.predictions(ids, np.array(classes), LABELS, proba, np.ones(len(pairs)))


UNEVEN = [("neg", "neg")] * 3 + [("neg", "pos")] * 3 + [("pos", "pos")] * 2  # neutral is neither meant nor said


def test_rows_of_the_confusion_are_actual_and_columns_predicted():
    scores = scoring.all_scores({0: answers(*UNEVEN)}, 0, LABELS)
    assert scores.confusion == [[3, 0, 3], [0, 0, 0], [0, 0, 2]]


def test_averages_by_hand():
    scores = scoring.all_scores({0: answers(*UNEVEN)}, 0, LABELS)
    neg, pos = {"precision": 1.0, "recall": 0.5, "f1": 2 / 3}, {"precision": 0.4, "recall": 1.0, "f1": 0.8 / 1.4}
    for side in neg:
        macro, weighted = (neg[side] + pos[side]) / 2, (6 * neg[side] + 2 * pos[side]) / 8
        assert getattr(scores, f"{side}_macro") == pytest.approx(macro, abs=1e-6)
        assert getattr(scores, f"{side}_weighted") == pytest.approx(weighted, abs=1e-6)
    assert scores.recall_weighted == scores.accuracy == 0.625
    assert scores.classes["neg"].model_dump() == pytest.approx({**neg, "support": 6}, abs=1e-6)


def test_a_class_that_no_document_has_takes_nothing_off_a_macro_average():
    right = scoring.all_scores({0: answers(("neg", "neg"), ("pos", "pos"))}, 0, LABELS)
    assert (right.accuracy, right.f1_macro, right.recall_macro, right.roc_auc) == (1, 1, 1, 1)
    said = scoring.all_scores({0: answers(("neg", "neutral"), ("pos", "pos"))}, 0, LABELS)
    assert (said.f1_macro, said.recall_macro, said.mean["f1_macro"]) == (0.5, 0.5, 0.5)


def test_a_class_that_is_neither_meant_nor_said_scores_0_without_a_warning(recwarn):
    scores = scoring.all_scores({0: answers(*UNEVEN)}, 0, LABELS)
    assert scores.classes["neutral"].model_dump() == {"precision": 0, "recall": 0, "f1": 0, "support": 0}
    assert not recwarn.list


def test_two_classes_are_told_by_the_second():
    frame = table(60, 2)
    scores = scoring.all_scores({0: frame}, 0, LABELS[:2])
    (_, false), (missed, found) = scores.confusion
    assert scores.binary.positive == "neutral"
    assert scores.binary.precision == pytest.approx(found / (found + false), abs=1e-6)
    assert scores.binary.recall == pytest.approx(found / (found + missed), abs=1e-6)


def test_certain_answers_stand_in_the_last_bin():
    (held,) = scoring.calibration(np.array([0.9, 1.0], np.float32), np.array([True, False]))
    assert held.model_dump() == {"confidence": 0.95, "accuracy": 0.5, "rows": 2}
    scores = scoring.all_scores({0: answers(*UNEVEN, confidence=1.0)}, 0, LABELS)
    assert [held.rows for held in scores.calibration] == [8]
    assert scores.calibration_error == 0.375


def test_seeds_are_told_in_ascending_order_and_their_spread_has_one_degree_of_freedom_less():
    tables = {5: answers(*UNEVEN), 2: answers(*UNEVEN[:6], ("pos", "neg"), ("pos", "neg"))}
    scores = scoring.all_scores(tables, 5, LABELS)
    assert [(one.seed, one.scores["accuracy"]) for one in scores.seeds] == [(2, 0.375), (5, 0.625)]
    assert (scores.accuracy, scores.mean["accuracy"]) == (0.625, 0.5)
    assert scores.sd["accuracy"] == pytest.approx(0.25 / 2**0.5, abs=1e-6)
    assert scoring.concat_seeds(tables)["seed"].to_list() == [2] * 8 + [5] * 8
    line = scoring.summary(scores, 5, {"accuracy": 0.7})
    assert (line["validation_accuracy"], line["test_accuracy"], line["test_accuracy_mean"]) == (0.7, 0.625, 0.5)
    for name in METRICS:
        assert (line[f"test_{name}_mean"], line[f"test_{name}_sd"]) == (scores.mean[name], scores.sd[name])
    assert scoring.all_scores({5: tables[5]}, 5, LABELS).sd["accuracy"] is None


def test_predictions_are_in_the_order_of_ids_and_must_be_distributions():
    frame = table(20)
    assert frame["id"].is_sorted()
    assert frame.columns == [
        "id",
        "label",
        "prediction",
        "confidence",
        "tokens",
        "unit",
        "p:neg",
        "p:neutral",
        "p:pos",
    ]
    with pytest.raises(DivergedError, match="document 'b': probabilities do not sum to 1"):
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

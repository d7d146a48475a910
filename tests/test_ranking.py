"""ROC and precision-recall curves match scikit-learn."""

from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import auc, average_precision_score, precision_recall_curve, roc_auc_score

from textmill.report.ranking import POINTS, curves, mean, rankings, thinned


@pytest.mark.parametrize("ties", [False, True])
def test_curves_match_scikit_learn(ties):
    rng = np.random.default_rng(0)
    held = rng.random(50) < 0.4
    scores = rng.normal(held * 1.0)
    scores = scores.round() if ties else scores
    found = thinned(curves(held, scores))
    assert auc(*zip(*found.roc, strict=True)) == pytest.approx(roc_auc_score(held, scores), abs=1e-3)
    precision, recall, _ = precision_recall_curve(held, scores)
    assert np.allclose(found.precision[::-1], np.stack([recall, precision], 1)[:-1], atol=1e-4)


def test_many_documents_give_few_points_from_end_to_end():
    rng = np.random.default_rng(0)
    held, scores = rng.random(9999) < 0.4, rng.random(9999)
    found = thinned(curves(held, scores))
    assert len(found.roc) <= POINTS + 1
    assert (found.roc[0], found.roc[-1]) == ((0, 0), (1, 1))
    assert found.precision[-1] == (1, pytest.approx(held.mean(), abs=1e-4))


@pytest.mark.parametrize(("classes", "rows"), [(3, 400), (52, 3000)])
def test_mean_curves_of_several_classes_have_the_areas_of_scikit_learn(classes, rows):
    rng = np.random.default_rng(1)
    actual = rng.integers(classes, size=rows)
    scores = rng.normal(np.eye(classes)[actual] * 1.5)
    each = [curves(actual == number, scores[:, number]) for number in range(classes)]
    found = mean(each)
    assert len(found.roc) <= POINTS + 1
    binary = [(actual == number, scores[:, number]) for number in range(classes)]
    assert auc(*zip(*found.roc, strict=True)) == pytest.approx(
        np.mean([roc_auc_score(*one) for one in binary]), abs=0.005
    )
    area = np.mean([average_precision_score(*one) for one in binary])
    assert auc(*zip(*found.precision, strict=True)) == pytest.approx(area, abs=0.02)
    assert found.precision[-1][1] == pytest.approx(
        np.mean([one.precision[one.recall == 1][0] for one in each]), abs=1e-4
    )


@pytest.mark.parametrize("classes", [2, 3])
def test_classes_without_a_test_document_have_no_curve(tmp_path, classes):
    labels = ["a", "b", "c"][:classes]
    rng = np.random.default_rng(2)
    actual = np.array(labels)[rng.integers(2, size=80)]
    proba = {f"p:{label}": rng.random(80) for label in labels}
    pl.DataFrame({"label": actual, **proba}).write_parquet(tmp_path / "predictions.parquet")
    models = {"one": SimpleNamespace(folder=tmp_path)}
    areas = [roc_auc_score(actual == label, proba[f"p:{label}"]) for label in (labels[:2] if classes > 2 else ["b"])]
    assert auc(*zip(*rankings(models, labels)["one"].roc, strict=True)) == pytest.approx(np.mean(areas), abs=0.01)
    pl.DataFrame({"label": ["a"] * 80, **proba}).write_parquet(tmp_path / "predictions.parquet")
    assert rankings(models, labels) == {}

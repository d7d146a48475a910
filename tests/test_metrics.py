"""A metric is added in one place, without training."""

import subprocess
import sys

import numpy as np
import pytest
from conftest import ROOT
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score

from textmill import tally
from textmill.code.closure import Closure
from textmill.judging.metrics import METRICS, score
from textmill.models import FAMILIES
from textmill.training.validation import epoch_scores

LABELS = ["a", "b", "c"]
SKLEARN = {
    "accuracy": accuracy_score,
    "f1_macro": lambda actual, said: f1_score(
        actual, said, labels=sorted(set(actual)), average="macro", zero_division=0
    ),
}
ANSWERS = st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from(LABELS)), min_size=1, max_size=30)


def sides(rows) -> tuple[np.ndarray, np.ndarray]:
    actual, said = (np.array([LABELS.index(label) for label in side]) for side in zip(*rows, strict=True))
    return actual, said


def counted(actual, said) -> np.ndarray:
    """Hits, documents and answers by class, (3, K)."""
    return np.stack(tally.count(actual, said, len(LABELS)))


@pytest.mark.parametrize("name", METRICS)
@given(rows=ANSWERS)
def test_a_metric_is_scikit_learns(name, rows):
    actual, said = sides(rows)
    expected = SKLEARN[name](actual.tolist(), said.tolist())
    assert score(name, counted(actual, said)) == pytest.approx(expected, abs=1e-12)


@given(ANSWERS)
def test_an_epoch_and_a_champion_are_chosen_by_the_same_numbers(rows):
    actual, said = sides(rows)
    of_epoch = epoch_scores(np.eye(3)[said], actual)
    for name in ("accuracy", "f1_macro"):
        assert of_epoch[name] == score(name, counted(actual, said))


def test_log_loss_is_at_least_0_and_at_most_that_of_the_smallest_probability():
    every = np.array([[1 + 1e-6, 0.0], [0.5, 0.5], [0.0, 1.0]], np.float32)  # a float32 may exceed 1 a little
    assert [tally.log_loss(every[[row]], np.array([0])) for row in range(3)] == [0, np.log(2), -np.log(tally.SMALLEST)]


def test_hits_are_counted_then_documents_then_answers():
    assert counted(*sides([("a", "a"), ("a", "b"), ("c", "b")])).tolist() == [[1, 0, 0], [2, 0, 1], [1, 2, 0]]


def test_a_new_metric_is_compared_by_and_told(tmp_path):
    """Then params can choose it, and ranking, table and page use it: nothing else names the metrics."""
    code = """
import sys
from pathlib import Path
import numpy as np
from textmill.code.closure import Closure
from textmill.judging.metrics import METRICS, Metric
METRICS["balanced"] = Metric("balanced accuracy", lambda hits, actual, said: (hits / np.maximum(actual, 1)).mean(-1))
import test_report
from textmill.judging import scoring
from textmill.report.table import print_table
from test_scoring import UNEVEN, LABELS, answers
scores = scoring.all_scores({7: answers(*UNEVEN)}, 7, LABELS)
assert scores.of(7)["balanced"] == 0.5, scores.of(7)
plain = test_report.made_up
def made_up(**kwargs):
    made = plain(**kwargs)
    for model in made[0].values():
        model["scores"]["seeds"][0]["balanced"] = model["scores"]["mean"]["balanced"] = 0.4321
    return made
test_report.made_up = made_up
render = test_report.render
def print_text(experiment):
    print_table(experiment.comparison, {}, Path("page"), [])
    return render(experiment)
test_report.render = print_text
html = test_report.page(metric="balanced")
assert "<h1>linear: " in html and "balanced accuracy" in html and "<th>Macro-F1</th>" in html
assert "<th>Balanced accuracy</th>" in test_report.page()
"""
    paths = {"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=paths, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Champion by validation balanced: linear" in done.stdout


@pytest.mark.parametrize("module", ["stages.train", *(f"textmill.models.{family}" for family in FAMILIES)])
def test_training_does_not_depend_on_how_models_are_compared(module):
    found = Closure({"textmill": ROOT / "textmill", "stages": ROOT / "stages"}).digests(module)
    assert not [name for name in found if name.startswith("textmill.judging")]

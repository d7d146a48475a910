"""One temperature for a model's probabilities, and thresholds that keep what they promise."""

import numpy as np
import polars as pl
import pytest
from conftest import toy
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import binom

from textmill import tally
from textmill.confidence import (
    DELTA,
    ENOUGH,
    STEPS,
    Calibration,
    Step,
    at_temperature,
    binomial_cdf,
    least_risk,
    steps,
    threshold,
)
from textmill.judging.confidence import with_confidence
from textmill.judging.scoring import all_scores, predictions
from textmill.training.calibration import COLDEST, HOTTEST, Calibrated, calibration, fitted_temperature


def softmax(logits: np.ndarray) -> np.ndarray:
    odds = np.exp(logits - logits.max(1, keepdims=True))
    return (odds / odds.sum(1, keepdims=True)).astype(np.float32)


def drawn(rows: int, temperature: float, classes: int = 2, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities (N, C) that are right at `temperature`, and labels drawn from those."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, (rows, classes))
    cumulated = softmax(logits).astype(np.float64).cumsum(1)
    return softmax(logits * temperature), (rng.random((rows, 1)) > cumulated / cumulated[:, -1:]).sum(1)


@pytest.mark.parametrize("classes", [2, 7])
@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0, 6.0])
def test_the_temperature_that_was_planted_is_found(classes, temperature):
    probabilities, labels = drawn(20_000, temperature, classes)
    found = calibration(probabilities, labels)
    assert found.temperature == pytest.approx(temperature, rel=0.04)
    assert (found.documents, found.too_few) == (20_000, False)
    assert found.log_loss <= tally.log_loss(probabilities, labels)
    least = min(
        tally.log_loss(at_temperature(probabilities, one), labels) for one in temperature * np.linspace(0.9, 1.1, 21)
    )
    assert found.log_loss == pytest.approx(least, abs=1e-4)


PROBABILITIES = arrays(np.float32, st.tuples(st.integers(0, 5), st.integers(2, 5)), elements=st.floats(0, 1, width=32))


@given(PROBABILITIES, st.floats(COLDEST, HOTTEST))
def test_no_temperature_changes_a_label_or_makes_no_distribution(rows, temperature):
    rows[:, -1] += rows.sum(1) == 0
    rows /= np.maximum(rows.sum(1, keepdims=True), np.float32(1e-30))
    found = at_temperature(rows, temperature)
    assert found.dtype == np.float32
    assert np.array_equal(found.argmax(1), rows.argmax(1))
    np.testing.assert_allclose(found.sum(1), 1, atol=1e-5)
    assert np.isfinite(found).all()


def test_what_rounding_would_make_a_tie_keeps_its_label():
    near = np.array([[np.nextafter(np.float32(0.5), np.float32(0)), 0.5]], np.float32)
    for temperature in (1.5, 3.0, 20.0):
        assert at_temperature(near, temperature).argmax(1).tolist() == [1]


def test_tempering_is_the_softmax_of_cooler_logits_and_can_be_undone():
    logits = np.random.default_rng(0).normal(0, 4, (200, 4))
    np.testing.assert_allclose(at_temperature(softmax(logits), 2.5), softmax(logits / 2.5), rtol=1e-5)
    np.testing.assert_allclose(at_temperature(softmax(logits / 2.5), 0.4), softmax(logits), rtol=1e-4, atol=1e-12)
    sure = np.array([[1, 1e-38], [1, 0]], np.float32)  # where a sum of exponentials would lose the small one
    assert at_temperature(sure, 2.0)[:, 1].tolist() == pytest.approx([1e-19, 0], rel=1e-5)


def test_a_row_is_the_same_alone_and_in_any_batch():
    for classes in (2, 3, 17):
        rows = np.random.default_rng(1).dirichlet(np.ones(classes), 301).astype(np.float32)
        whole = at_temperature(rows, 1.7)
        for start, end in ((0, 1), (3, 4), (5, 22), (300, 301)):
            assert np.array_equal(at_temperature(rows[start:end], 1.7), whole[start:end])
        assert np.array_equal(at_temperature(np.asfortranarray(rows), 1.7), whole)


@pytest.mark.parametrize(
    ("rows", "planted", "stays"),
    [
        (40, 1.0, True),
        (40, 8.0, False),  # so wrong that 40 documents show it
        (ENOUGH - 1, 1.0, True),
        (ENOUGH - 1, 1.15, True),
        (ENOUGH - 1, 3.0, False),
        (ENOUGH, 1.15, False),
    ],
)
def test_few_documents_leave_the_temperature_at_1_unless_they_gain_plainly(rows, planted, stays):
    found = calibration(*drawn(rows, planted, seed=3))
    assert (found.temperature == 1, found.too_few) == (stays, stays)
    if not stays:
        assert found.temperature == pytest.approx(planted, rel=0.5)


def test_few_documents_are_seldom_believed_by_chance():
    """The test has a level of 1 %, which is approximate for 100 documents."""
    believed = [calibration(*drawn(100, 1.0, seed=seed)).temperature != 1 for seed in range(300)]
    assert np.mean(believed) <= 0.03


def test_a_split_without_a_mistake_makes_nobody_sure_of_everything():
    probabilities = np.tile(np.array([[0.8, 0.2]], np.float32), (400, 1))
    found = fitted_temperature(probabilities, np.zeros(400, int))
    assert found > 2 * COLDEST
    assert at_temperature(probabilities, found)[0, 1] > 1 / 2000


def test_a_model_is_taken_at_its_temperature_wherever_it_is_asked():
    class Plain:
        METHODS = ("occlusion",)

        def predict_proba(self, docs):
            return softmax(np.stack([docs.lengths, -docs.lengths], 1) / 4)

        def positions(self, length):
            return np.arange(length)

        def tensors(self):
            return {"one": np.ones(1)}

    model, docs = Calibrated(Plain(), Calibration(temperature=2.0)), toy(20, 30, 2).docs
    np.testing.assert_allclose(model.predict_proba(docs), at_temperature(Plain().predict_proba(docs), 2.0))
    assert (model.METHODS, model.positions(3).tolist(), list(model.tensors())) == (("occlusion",), [0, 1, 2], ["one"])


@given(st.integers(0, 400), st.floats(0, 1), st.floats(0.001, 0.999))
def test_the_chance_of_so_few_errors_is_binomial(answered, share, risk):
    wrong = int(share * answered)
    assert binomial_cdf(wrong, answered, risk) == pytest.approx(binom.cdf(wrong, answered, risk), rel=1e-8, abs=1e-300)


def test_the_chance_of_few_errors_among_many_answers_is_a_number():
    assert binomial_cdf(900, 100_000, 0.01) == pytest.approx(binom.cdf(900, 100_000, 0.01), rel=1e-6)
    assert binomial_cdf(10, 1_000_000, 0.3) == 0


def answered(rows: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Confidences, and answers that are right as often as those say."""
    confidence = rng.uniform(0.5, 1, rows).astype(np.float32)
    return confidence, rng.random(rows) < confidence


def test_a_threshold_keeps_its_promise():
    """Above t, 1 - (1 + t) / 2 of the answers are wrong: the risk of every threshold is known."""
    rng = np.random.default_rng(0)
    found = {risk: [threshold(steps(*answered(800, rng)), risk) for _ in range(400)] for risk in (0.05, 0.1, 0.2)}
    for risk, each in found.items():
        broken = np.mean([step is not None and (1 - step.above) / 2 > risk for step in each])
        assert broken <= DELTA
    reached = [1 - step.above if step else 0 for step in found[0.2]]
    assert np.mean(reached) > 0.25  # a promise that is hardly made is easily kept: 0.4 is what could be answered


def test_steps_are_what_lies_above_them():
    confidence, right = answered(207, np.random.default_rng(2))
    found = steps(confidence, right)
    assert len(found) == STEPS
    for step in found:
        kept = confidence > step.above
        assert (step.answered, step.wrong) == (kept.sum(), (kept & ~right).sum())
    assert found[-1] == Step(above=0.0, answered=207, wrong=int((~right).sum()))
    assert [step.answered for step in found] == sorted(step.answered for step in found)


@pytest.mark.parametrize("rows", [1, 5, 20])
def test_very_few_documents_promise_nothing(rows):
    known = steps(np.linspace(0.6, 0.9, rows), np.ones(rows, bool))
    assert threshold(known, 0.1) is None
    assert (least_risk(known) or 1) > 0.2
    assert threshold([], 0.5) is None


def test_answers_that_are_all_equally_sure_are_all_given_or_none():
    right = np.arange(1000) % 20 > 0  # 5 % wrong
    known = steps(np.ones(1000), right)
    assert threshold(known, 0.04) is None
    assert threshold(known, 0.1) == Step(above=0.0, answered=1000, wrong=50)


def test_a_larger_risk_answers_no_less():
    known = steps(*answered(1500, np.random.default_rng(5)))
    given_ = [step.answered if (step := threshold(known, percent / 100)) else 0 for percent in range(1, 100)]
    assert given_ == sorted(given_)
    assert given_[-1] == 1500
    assert threshold(known, least_risk(known)) is not None
    assert threshold(known, least_risk(known) - 0.01) is None


def test_scores_tell_what_temperature_and_thresholds_did():
    proba, classes = drawn(2000, 3.0)
    ids, lengths = pl.Series([f"{row:04}" for row in range(2000)]), np.ones(2000, int)
    known = {4: calibration(proba[:1000], classes[:1000]), 9: Calibration()}
    before = all_scores({4: predictions(ids, classes, ["a", "b"], proba, lengths)}, 4, ["a", "b"])
    tables = {
        seed: predictions(ids, classes, ["a", "b"], at_temperature(proba, one.temperature), lengths)
        for seed, one in known.items()
    }
    scores = with_confidence(all_scores(tables, 4, ["a", "b"]), tables, 4, known)
    assert [one.seed for one in scores.temperatures] == [4, 9]
    effect, plain = scores.tempered(4), scores.tempered(9)
    assert effect.log_loss_before == pytest.approx(before.log_loss, abs=1e-5)
    assert effect.calibration_error_before == pytest.approx(before.calibration_error, abs=1e-3)
    assert (effect.log_loss, effect.calibration_error) == (scores.log_loss, scores.calibration_error)
    assert effect.log_loss < effect.log_loss_before - 0.1
    assert effect.calibration_error < 0.03
    assert (plain.temperature, plain.too_few, plain.log_loss) == (1, True, plain.log_loss_before)
    assert scores.accuracy == before.accuracy
    assert scores.coverage[-1].accuracy == pytest.approx(scores.accuracy, abs=1e-6)
    assert [point.share for point in scores.coverage] == pytest.approx(np.arange(1, 11) / 10)
    for one in scores.risks:
        step = threshold(known[4].steps, one.risk)
        kept = tables[4].filter(pl.col("confidence") > (step.above if step else 1))
        assert (one.above, one.answered) == (step and step.above, len(kept))
        assert one.wrong == (kept["label"] != kept["prediction"]).sum()
    assert scores.least_risk == least_risk(known[4].steps)
    assert with_confidence(all_scores(tables, 9, ["a", "b"]), tables, 9, known).least_risk is None

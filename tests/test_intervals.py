"""The parts of intervals: units, a jackknife, swaps, and Student's t with several sources of variance."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from scipy.stats import t as student

from textmill import tally
from textmill.judging import jackknife, swaps, units
from textmill.judging.estimates import estimate, interval, wins
from textmill.judging.intervals import Spread, combined, half_width, of_documents, of_seeds, p_value
from textmill.judging.metrics import METRICS, score

CLASSES = 4
RIGHT = [0.55, 0.7, 0.8]


def drawn(rows: int, seed: int = 0, share: float = 0.7) -> tuple[np.ndarray, ...]:
    """Labels and the answers of two models."""
    random = np.random.default_rng(seed)
    actual = random.choice(CLASSES, rows, p=[0.6, 0.3, 0.08, 0.02])
    return actual, *(np.where(random.random(rows) < share, actual, random.integers(CLASSES, size=rows)) for _ in "ab")


def test_units_are_equal_numbers():
    found = units.units_of(np.array([2, 7, 0, 2, 9]))
    assert sorted(found.sizes.tolist()) == [1, 1, 1, 2]
    assert found.of[0] == found.of[3] != found.of[1] != found.of[4]
    assert found.effective == pytest.approx(25 / 7)
    assert units.units_of(np.arange(7)).effective == 7


def without_each(metric, actual, answered, classes, own):
    return jackknife.without_each(metric, np.stack(tally.count(actual, answered, classes)), actual, answered, own)


@given(st.lists(st.integers(-1, 5), min_size=2, max_size=40), st.sampled_from(list(METRICS)), st.booleans())
def test_without_each_is_the_score_of_the_others(numbers, metric, grouped):
    actual, answered, _ = drawn(len(numbers))
    own = units.units_of(np.array(numbers)) if grouped else units.units_of(np.arange(len(numbers)))
    if len(own.sizes) < 2:
        with pytest.raises(ValueError, match="only unit"):
            without_each(metric, actual, answered, CLASSES, own)
        return
    expected = []
    for unit in range(len(own.sizes)):
        kept = own.of != unit
        expected.append(float(score(metric, np.stack(tally.count(actual[kept], answered[kept], CLASSES)))))
    assert without_each(metric, actual, answered, CLASSES, own) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("grouped", [False, True])
def test_blocks_change_nothing(grouped, monkeypatch):
    actual, answered, _ = drawn(300)
    own = units.units_of(np.arange(300) // 7) if grouped else units.units_of(np.arange(300))
    whole = without_each("f1_macro", actual, answered, CLASSES, own)
    monkeypatch.setattr(jackknife, "BLOCK", 30)
    assert (without_each("f1_macro", actual, answered, CLASSES, own) == whole).all()


def test_the_variance_of_a_share_is_that_of_theory():
    right = np.arange(100) < 80
    without = without_each("accuracy", np.ones(100, int), right.astype(int), 2, units.units_of(np.arange(100)))
    assert jackknife.variance(without) == pytest.approx(0.8 * 0.2 / 99)


def test_one_unit_has_scores_and_nothing_to_estimate_a_variance_from():
    own = units.units_of(np.zeros(4, int))
    found = estimate("accuracy", np.array([0, 1, 1, 1]), np.array([[0, 1, 0, 0], [0, 1, 1, 1]]), 2, own)
    assert (found.by_seed.tolist(), found.centre) == ([0.5, 1], 0.75)
    assert (found.without.shape, found.without_added.shape) == ((0,), (2, 0))


@pytest.mark.parametrize(("metric", "added"), [("accuracy", 2), ("f1_macro", 4)])
def test_a_document_more_is_right_and_one_is_wrong(metric, added):
    """The adjustment for all documents, or for each class that has some."""
    actual, own = np.array([0] * 30 + [2] * 10), units.units_of(np.arange(40))
    found = estimate(metric, actual, actual[None], 4, own)
    assert (found.mean, found.without_added.size) == (1, added)
    assert found.centre == pytest.approx({"accuracy": 41 / 42, "f1_macro": (31 / 32 + 11 / 12) / 2}[metric])
    low, high = interval(own, found, 0.05)
    assert (0.5 < low < 0.93, high) == (True, 1)


def test_independent_luck_adds_up_with_the_freedom_of_satterthwaite():
    parts = [Spread(4.0, 9), Spread(1.0, 2)]
    assert combined(parts) == (5.0, 25 / (16 / 9 + 1 / 2))
    assert combined(parts[:1]) == pytest.approx(parts[0])
    assert combined([Spread(0.0, 9), Spread(0.0, 2)]) == (0.0, np.inf)
    assert of_seeds(np.array([0.7])) == []
    assert of_seeds(np.array([0.7, 0.8, 0.9])) == [(pytest.approx(0.01 / 3), 2)]
    assert of_documents(1.0, units.units_of(np.arange(30) // 3)).freedom == 9
    assert half_width(Spread(4.0, 9), 0.05) == pytest.approx(2 * student(9).ppf(0.975))
    for difference in (-3.0, 3.0):
        assert p_value(difference, Spread(4.0, 9)) == pytest.approx(2 * student(9).sf(1.5))
    assert p_value(0.1, Spread(0.0, 9)) == 0


@pytest.mark.parametrize("present", [CLASSES, CLASSES - 1, 1])
def test_slopes_are_those_of_the_score(present):
    actual, answered, _ = drawn(200)
    sums = np.stack(tally.count(np.minimum(actual, present - 1), answered, CLASSES)).astype(float)
    slopes = METRICS["f1_macro"].slopes(*sums)
    for side, number in np.ndindex(sums.shape):
        if side == 1 and number >= present:
            continue  # a document of a class that had none is a jump
        more = sums.copy()
        more[side, number] += 1e-4
        assert slopes[side, number] == pytest.approx(
            (score("f1_macro", more) - score("f1_macro", sums)) / 1e-4, abs=1e-6
        )


@pytest.mark.parametrize("grouped", [False, True])
def test_swaps_draw_the_differences_of_exchanged_answers(grouped, monkeypatch):
    """Their mean is 0, and their spread equals that of swapping unit by unit in a plain loop."""
    actual, a, b = drawn(120, 3)
    own = units.units_of(np.arange(120) // 6) if grouped else units.units_of(np.arange(120))
    found = swaps.studentised("f1_macro", *swaps.patterns(actual, a, b, CLASSES, own), CLASSES, 1)
    random, plain = np.random.default_rng(2), []
    for _ in range(400):
        given = (random.random(len(own.sizes)) < 0.5)[own.of]
        one, other = np.where(given, b, a), np.where(given, a, b)
        both = [np.stack(tally.count(actual, each, CLASSES)).astype(float) for each in (one, other)]
        slopes = [METRICS["f1_macro"].slopes(*each) for each in both]
        adds = np.zeros(len(own.sizes))
        for answered, slope, sign in ((one, slopes[0], 1), (other, slopes[1], -1)):
            each = slope[1][actual] + slope[2][answered] + slope[0][actual] * (answered == actual)
            adds += sign * np.bincount(own.of, each, len(own.sizes))
        plain.append((score("f1_macro", both[0]) - score("f1_macro", both[1])) / np.sqrt((adds**2).sum()))
    assert found.mean() == pytest.approx(0, abs=0.1)
    assert np.quantile(np.abs(found), [0.5, 0.9]) == pytest.approx(np.quantile(np.abs(plain), [0.5, 0.9]), rel=0.12)
    monkeypatch.setattr(swaps, "BLOCK", 10**9)
    assert len(swaps.studentised("f1_macro", *swaps.patterns(actual, a, b, CLASSES, own), CLASSES, 1)) == len(found)
    assert not swaps.studentised("f1_macro", *swaps.patterns(actual, a, a, CLASSES, own), CLASSES, 1).any()


def test_swaps_widen_where_classes_are_rare_and_nowhere_else():
    own = units.units_of(np.arange(1000))
    actual, a, b = drawn(1000)
    rare = (np.arange(1000) < 12).astype(int)
    flip = np.random.default_rng(0).random((2, 1000)) < np.where(rare, 0.4, 0.01)
    c, d = rare ^ flip[0], rare ^ flip[1]
    assert swaps.widening("accuracy", actual, a, b, CLASSES, own, 0.05, 0) == 1
    assert swaps.widening("f1_macro", actual, a, a, CLASSES, own, 0.05, 0) == 1
    assert swaps.widening("f1_macro", actual, a, b, CLASSES, own, 0.05, 0) == pytest.approx(1, abs=0.06)
    assert 1.03 < swaps.widening("f1_macro", rare, c, d, 2, own, 0.05, 0) < 2
    deep, deeper = (swaps.widening("f1_macro", actual, a, b, CLASSES, own, alpha, 0) for alpha in (0.005, 1e-9))
    assert deep == deeper  # what 2,000 swaps can tell


def test_wins_are_those_of_documents_drawn_again():
    random = np.random.default_rng(0)
    actual = np.zeros(300, int)
    answered = [(random.random(300) > share).astype(int)[None] for share in RIGHT]
    own = units.units_of(np.arange(300))
    estimates = [estimate("accuracy", actual, each, 2, own) for each in answered]
    plain = np.zeros(3)
    for _ in range(2000):
        rows = random.integers(300, size=300)
        plain[np.argmax([np.round((each[0][rows] == 0).mean(), 9) for each in answered])] += 1
    assert wins(estimates, own, 5) == pytest.approx((plain / 2000).tolist(), abs=0.04)


@pytest.mark.parametrize(("documents", "expected"), [(1, [None, None]), (2, [1, 0])])
def test_wins_need_two_units(documents, expected):
    actual, own = np.zeros(documents, int), units.units_of(np.arange(documents))
    answered = [actual[None], actual[None] + 1]  # all right, all wrong
    estimates = [estimate("accuracy", actual, each, 2, own) for each in answered]
    assert wins(estimates, own, 5) == expected


@pytest.mark.parametrize(("right", "rows"), [(0, 20), (10, 10), (95, 100), (60, 100)])
def test_intervals_of_shares_are_near_those_of_wilson(right, rows):
    found = estimate(
        "accuracy",
        np.zeros(rows, int),
        (np.arange(rows) >= right).astype(int)[None],
        2,
        units.units_of(np.arange(rows)),
    )

    ends = binomtest(right, rows).proportion_ci(method="wilson")
    assert interval(units.units_of(np.arange(rows)), found, 0.05) == pytest.approx((ends.low, ends.high), abs=0.06)

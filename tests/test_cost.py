"""Quality against cost."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_verify import Project

from textmill.report.cost import GAP, chart, costs, round_numbers, spaced
from textmill.timings import Timing


def comparison(**scores):
    """Returns a comparison of models with these validation scores."""
    made = object.__new__(Project)
    made.models = {name: {"validation": score, "score": score - 0.01} for name, score in scores.items()}
    made.champion, made.better = "linear", None
    return made.compared()


def test_the_best_up_to_each_size_is_marked():
    of = comparison(linear=0.8, cnn=0.79, lstm=0.85, big=0.85, unknown=0.99)
    sizes = {"linear": 2_000_000, "cnn": 3_000_000, "lstm": 40_000_000, "big": 90_000_000, "unknown": None}
    found = costs(of, sizes, {"cnn": Timing(train_seconds=2.5, machine="m")})
    assert [(one.name, one.megabytes, one.best) for one in found] == [
        ("linear", 2.0, True),
        ("cnn", 3.0, False),
        ("lstm", 40.0, True),
        ("big", 90.0, False),
        ("unknown", None, False),
    ]
    assert [one.seconds for one in found] == [None, 2.5, None, None, None]


@given(st.lists(st.floats(20, 170), min_size=1, max_size=12))
def test_names_in_a_chart_do_not_overlap(places):
    moved = spaced(sorted(places))
    assert all(b - a >= GAP - 0.11 for a, b in pairwise(moved))


@given(st.floats(-3, 8), st.floats(0.2, 6))
def test_marks_of_a_logarithmic_axis_are_few_and_round(low, length):
    found = round_numbers(low, low + length)
    assert 1 <= len(found) <= 4
    assert found == sorted(found)


@pytest.mark.parametrize("values", [{"a": 1.0}, {"a": 1.0, "b": 1.0, "c": 2000.0}])
def test_a_chart_shows_every_model(values):
    drawn = chart("size", values, dict.fromkeys(values, 0.8), [0.8])
    assert {point.name for point in drawn.points} == set(values)
    assert all(34 <= point.x <= 250 for point in drawn.points)

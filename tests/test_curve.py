"""Learning curves: nested parts, forecasts that are right, and fits that are not repeated."""

import numpy as np
import pytest
from conftest import MODELS, TRAIN, toy

from textmill.annotation import curve
from textmill.annotation.curve import measure, nested, with_forecasts
from textmill.annotation.forecast import forecast
from textmill.annotation.score_cache import ScoreCache
from textmill.models import model_entry
from textmill.records.curve import Size
from textmill.report.labels import curve_line, curve_positions
from textmill.text.encoding import Encoded
from textmill.training.task import Task

ROWS = (100, 200, 400, 800, 1600)


def sizes(law, spread=0.01) -> list[Size]:
    """Returns scores of 5 draws around 1 - law(rows), and one score for all documents."""
    apart = np.linspace(-spread, spread, 5)
    several = [Size(rows=rows, scores=(1 - law(rows) + apart).tolist()) for rows in ROWS[:-1]]
    return [*several, Size(rows=ROWS[-1], scores=[1 - law(ROWS[-1])])]


def test_a_power_law_is_carried_on():
    law = sizes(lambda rows: 2 * rows**-0.4)
    for times in (2, 4):
        found = forecast(law, times, 0.05)
        assert found.score == pytest.approx(1 - 2 * (times * ROWS[-1]) ** -0.4, abs=1e-5)
        assert found.low < found.score < found.high
        assert found.high - found.low < forecast(law, times, 0.01).high - found.low
    first, second = (forecast(law, times, 0.05) for times in (2, 4))
    assert second.high - second.low > first.high - first.low


@pytest.mark.parametrize(
    ("law", "line"),
    [
        (lambda rows: 0.0, "no error is left"),
        (lambda rows: 0.3, "does not grow"),
        (lambda rows: rows / 1e4, "not grow"),
    ],
)
def test_no_forecast_says_why(law, line):
    forecasted = with_forecasts(sizes(law, 0.0), "accuracy", "text", 0.05, 1000)
    assert forecasted.forecasts == []
    assert line in curve_line(forecasted)
    assert line in forecast(sizes(law, 0.0), 2, 0.05)


def test_the_interval_is_as_wide_as_luck_asks_for_and_not_three_times_as_wide():
    """Each document moves the error a little; a part moves it by the mean of its documents."""
    rng, held, off, width = np.random.default_rng(0), [], [], []
    for _ in range(400):
        luck = rng.normal(0, 0.4, 2 * ROWS[-1])
        orders = [rng.permutation(ROWS[-1]) for _ in range(5)]

        def score(rows, luck=luck):
            return float(1 - 1.5 * len(rows) ** -0.35 + luck[rows].mean())

        measured = [Size(rows=n, scores=[score(order[:n]) for order in orders]) for n in ROWS[:-1]]
        measured.append(Size(rows=ROWS[-1], scores=[score(orders[0])]))
        found, came = forecast(measured, 2, 0.05), score(np.arange(2 * ROWS[-1]))
        held.append(found.low <= came <= found.high)
        off.append(found.score - came)
        width.append(found.high - found.low)
    assert np.mean(held) >= 0.95
    assert np.mean(width) < 3 * 2 * 1.96 * np.std(off)


def test_parts_are_nested_and_know_every_class():
    rng = np.random.default_rng(0)
    pieces, labels = np.arange(60) // 6, np.repeat([0, 1, 2], [50, 9, 1])
    order = nested(pieces, labels, rng)
    assert sorted(order) == list(range(60))
    assert set(labels[order[:3]]) == {0, 1, 2}
    assert nested(pieces * 0, labels, rng)[3:].tolist() != sorted(order[3:])
    rest = pieces[order[3:]]
    assert (np.diff(rest) != 0).sum() == len(set(rest)) - 1  # one piece after another


def test_the_last_score_is_that_of_the_whole_and_no_fit_is_made_twice(tmp_path, monkeypatch):
    monkeypatch.setattr(curve, "FEWEST", 10)
    data, test = noisy(320, 0), noisy(100, 1)
    model, task = model_entry(MODELS["linear"], TRAIN, "x"), Task(300, 2, 0)
    given = model, data, test, test, task, np.arange(320)
    found = measure(*given, "accuracy", ScoreCache(tmp_path, "linear", [1]))
    assert [(size.rows, len(size.scores)) for size in found] == [(20, 5), (40, 5), (80, 5), (160, 5), (320, 1)]
    whole = model.family.fit(model.config, None, data, test, task).model
    assert found[-1].scores == [round(float(np.mean(whole.predict_proba(test.docs).argmax(1) == test.labels)), 6)]
    forecasted = with_forecasts(found, "accuracy", "text", 0.05, 1000)
    assert forecasted.forecasts[0].score > forecasted.now
    assert curve_line(forecasted).startswith("twice the labels would bring about +")
    assert len(curve_positions(forecasted).marks) == 7
    monkeypatch.setattr(type(model.family), "fit", None)
    assert measure(*given, "accuracy", ScoreCache(tmp_path, "linear", [1])) == found
    assert (
        measure(*given, "f1_macro", ScoreCache(tmp_path, "linear", [1]))[0].rows == 20
    )  # another metric uses the same fits
    with pytest.raises(TypeError):
        measure(*given, "accuracy", ScoreCache(tmp_path, "linear", [2]))


def test_what_other_params_left_is_deleted(tmp_path):
    for depends in (1, 2):
        ScoreCache(tmp_path, "linear", [depends]).get("20 0", lambda: {"accuracy": 0.5})
    ScoreCache(tmp_path, "linear-2", [1]).get("20 0", lambda: {"accuracy": 0.5})
    kept = ScoreCache(tmp_path, "linear", [2])
    kept.delete_others()
    assert sorted(path.name.rsplit("-", 1)[0] for path in tmp_path.iterdir()) == ["linear-2-curve", "linear-curve"]
    assert kept.get("20 0", dict) == {"accuracy": 0.5}


def test_too_few_documents_are_told():
    data = toy(100, 300, 2)
    model = model_entry(MODELS["linear"], TRAIN, "x")
    found = measure(model, data, data, data, Task(300, 2, 0), np.arange(100), "accuracy", NothingKept())
    assert [size.rows for size in found] == [50, 100]
    line = "what more labels would bring is unknown: train has too few documents"
    assert curve_line(with_forecasts(found, "accuracy", "text", 0.05, 1000)) == line


def test_parts_that_a_model_cannot_learn_from_are_left_out(monkeypatch):
    monkeypatch.setattr(curve, "FEWEST", 10)
    data = toy(320, 3000, 2)
    model = model_entry(MODELS["linear"] | {"min_count": 30}, TRAIN, "x")
    found = measure(model, data, data, data, Task(3000, 2, 0), np.arange(320), "accuracy", NothingKept())
    assert found[-1].rows == 320
    assert found[0].rows > 20


def noisy(documents: int, seed: int) -> Encoded:
    """Returns documents of which one label in five is wrong."""
    data = toy(documents, 300, 2, seed)
    wrong = np.random.default_rng(seed).random(documents) < 0.2
    return Encoded(data.docs, np.where(wrong, 1 - data.labels, data.labels))


class NothingKept:
    def get(self, key, make):
        return make()


def test_few_groups_tell_no_forecast():
    forecasted = with_forecasts([], "accuracy", "group", 0.05, 3)
    assert (forecasted.forecasts, forecasted.no_forecast) == ([], "train has too few groups")

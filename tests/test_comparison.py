import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as student

from textmill.config import validate
from textmill.errors import ArtifactError, ParamsError
from textmill.judging.answers import Answers, answers
from textmill.judging.comparison import REPORTED, CompareConfig, Evaluated, compare
from textmill.judging.metrics import METRICS

CONFIG = CompareConfig(metric="accuracy", alpha=0.05)
F1 = CompareConfig(metric="f1_macro", alpha=0.05)
CHOOSE = 1000  # documents of a made-up validation split


def said(right, actual=None, group=None) -> Answers:
    """Answers that are right where `right` is True, (N,), or, by seed, (S, N); of two classes in turn."""
    right = np.atleast_2d(np.asarray(right, dtype=bool))
    actual = np.arange(right.shape[1]) % 2 if actual is None else np.asarray(actual)
    ids = pl.Series([f"{i:04x}" for i in range(right.shape[1])])
    group = np.arange(right.shape[1]) if group is None else np.asarray(group)
    return Answers(ids, actual, np.where(right, actual, 1 - actual), group)


def model(right, validation=0.8, log_loss=0.5, parameters=10, actual=None, group=None, labels=("no", "yes")):
    """Returns a model that is right on test documents where `right` is True, and on this share of validation."""
    chosen = said(np.arange(CHOOSE) < round(validation * CHOOSE), np.zeros(CHOOSE, int))
    scores = {**dict.fromkeys(REPORTED, 0.5), "roc_auc": None}
    of = log_loss, scores, list(labels), chosen, said(right, actual, group)
    return Evaluated(Path("metrics/b"), "x", "word", parameters, *of)


def chosen_by(right) -> Evaluated:
    """A model that is right on these documents of the validation split."""
    return replace(model(some(0.7, seed=1)), validation=said(right, np.zeros(CHOOSE, int)))


def some(share: float, rows: int = 400, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random(rows) < share


def compared(models, config=CONFIG, seed=42, train=None, by="text"):
    return compare(config, seed, "reviews", train or {"no": 5, "yes": 9}, models, by)


def test_answers_are_numbers_of_labels_and_groups():
    rows = {"id": ["a", "b"], "label": ["no", "yes"], "unit": pl.Series([3, 0], dtype=pl.Int32)}
    tables = {9: pl.DataFrame(rows | {"prediction": ["no", "no"]}), 2: pl.DataFrame(rows | {"prediction": ["yes"] * 2})}
    found = answers(tables, ["no", "yes"])
    assert (found.actual.tolist(), found.predicted.tolist()) == ([0, 1], [[1, 1], [0, 0]])
    assert (found.ids.to_list(), found.unit.tolist()) == (["a", "b"], [3, 0])


def test_an_interval_has_the_width_of_theory():
    found = compared({"a": model(some(0.8, rows=2000))}).models[0]
    assert found.low < found.score < found.high
    assert found.high - found.low == pytest.approx(
        2 * 1.961 * np.sqrt(found.score * (1 - found.score) / 2000), rel=0.01
    )
    assert (found.validation, found.validation_low < 0.8 < found.validation_high) == (0.8, True)


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1), st.integers(0, 9)), min_size=2, max_size=60),
    st.sampled_from(list(METRICS)),
    st.booleans(),
)
def test_an_interval_holds_its_estimate(rows, metric, grouped):
    actual, right, group = np.array(rows).T
    units = group if grouped and len(set(group)) > 1 else None
    found = compared({"a": model(right, actual=actual, group=units)}, CONFIG.model_copy(update={"metric": metric}))
    one = found.models[0]
    assert 0 <= one.low <= one.score <= one.high <= 1


def test_an_interval_by_group_is_that_of_the_groups_means():
    right, group = some(0.8, 500), np.arange(500) // 25
    one = compared({"a": model(right, group=group)}, by="group").models[0]
    means = right.reshape(20, 25).mean(1)
    assert (one.high - one.low) / 2 == pytest.approx(student(19).ppf(0.975) * means.std(ddof=1) / 20**0.5, rel=0.02)
    alike = np.repeat(some(0.8, 20), 25)  # all documents of a group are right, or none is
    by_group, by_document = (compared({"a": model(alike, group=own)}).models[0] for own in (group, None))
    assert by_group.high - by_group.low > 4.5 * (by_document.high - by_document.low) > 0


@pytest.mark.parametrize("config", [CONFIG, F1])
def test_a_perfect_score_on_few_documents_is_not_sure(config):
    found = compared({"a": model([True] * 20)}, config).models[0]
    assert (found.score, found.high) == (1, 1)
    assert 0.79 < found.low < 0.9  # Wilson: 0.84


def test_a_clear_difference_is_found_and_a_doubtful_one_is_a_tie():
    good, close, bad = some(0.9), some(0.9), some(0.6, seed=1)
    close[:4] = ~good[:4]
    result = compared({"good": model(good, 0.9), "close": model(close, 0.8), "bad": model(bad, 0.7)})
    better = {(pair.a, pair.b): pair.better for pair in result.pairs}
    assert better == {("good", "close"): None, ("good", "bad"): "good", ("close", "bad"): "close"}
    assert result.standing == {"beats": ["bad"], "ties": ["close"], "loses": []}


@pytest.mark.parametrize("config", [CONFIG, F1])
@pytest.mark.parametrize("by", ["text", "group"])
def test_the_verdict_is_read_from_the_interval(config, by):
    models = {str(n): model(some(0.7 + n / 40, seed=n), group=np.arange(400) // 8) for n in range(6)}
    pairs = compared(models, config, by=by).pairs
    assert {pair.better for pair in pairs} > {None}
    for pair in pairs:
        expected = pair.a if pair.low > 0 else pair.b if pair.high < 0 else None
        assert pair.better == expected
        assert pair.least >= (pair.high - pair.low) / 2 - 1e-6


def test_what_is_sure_alone_may_be_a_tie_among_many():
    right = np.ones(400, dtype=bool)
    a, b = right.copy(), right.copy()
    a[:2], b[2:13] = False, False  # they disagree on 13 documents, 11 of them in favour of a
    assert compared({"a": model(a, 0.9), "b": model(b)}).pairs[0].better == "a"
    assert compared({"a": model(a, 0.9), "b": model(b), "c": model(a, 0.7)}).pairs[0].better is None


@pytest.mark.parametrize(("differ", "better"), [(5, None), (6, "a")])
def test_few_documents_that_differ_decide_as_an_exact_test_does(differ, better):
    b = np.ones(400, dtype=bool)
    b[:differ] = False
    (pair,) = compared({"a": model([True] * 400), "b": model(b)}).pairs  # McNemar: p = 2 / 2**5, 2 / 2**6
    assert pair.better == better
    (same,) = compared({"a": model(b), "b": model(b)}).pairs
    assert (same.difference, same.better, same.least) == (0, None, 6 / 400)


def test_the_champion_is_chosen_on_validation_and_may_lose_on_test():
    result = compared({"lucky": model(some(0.95), 0.7), "chosen": model(some(0.6, seed=1), 0.8)})
    assert (result.champion, result.champion_by) == ("chosen", "validation accuracy")
    assert result.standing == {"beats": [], "ties": [], "loses": ["lucky"]}


def test_between_equals_log_loss_then_size_then_name_decide():
    right = some(0.8)
    models = {
        "d": model(right, 0.8, 0.6, 1),
        "c": model(right, 0.8, 0.5, 9),
        "b": model(right, 0.8, 0.5, 5),
        "a": model(right, 0.8, 0.5, 9),
    }
    decided = []
    while models:
        result = compared(models)
        decided.append((result.champion, result.equal, result.decided_by))
        del models[result.champion]
    assert decided == [
        ("b", ["a", "c", "d"], "parameters"),
        ("a", ["c", "d"], "name"),
        ("c", ["d"], "log_loss"),
        ("d", [], None),
    ]


def test_how_often_each_would_be_the_champion():
    def odds(**validation):
        return {
            each.name: each.wins for each in compared({n: model(some(0.8), v) for n, v in validation.items()}).models
        }

    assert odds(a=0.8) == {"a": 1}
    assert odds(a=0.9, b=0.8) == {"a": 1, "b": 0}  # b is wrong where a is, and on a hundred more
    one = compared(
        {"a": model(some(0.8)), "b": replace(model(some(0.8)), validation=said(some(0.8, CHOOSE, 1), [0] * CHOOSE))}
    )
    ahead = one.models[0].validation - one.models[1].validation
    expected = student(9999).cdf(ahead / np.sqrt(2 * 0.8 * 0.2 / CHOOSE))
    assert one.models[0].wins == pytest.approx(expected, abs=0.05)
    assert sum(each.wins for each in one.models) == pytest.approx(1)


def test_the_baseline_is_the_majority_of_the_training_split():
    result = compared({"a": model([True] * 40, actual=[1] * 30 + [0] * 10)}, train={"no": 7, "yes": 3})
    assert result.baseline.model_dump() == {"label": "no", "accuracy": 0.25, "f1_macro": 0.2}


def test_classes_that_are_absent_or_rare_in_the_test_split_are_named():
    one = model([True] * 40, actual=np.ones(40, int))
    result = compared({"a": one}, F1)
    assert (result.absent, result.rare, result.models[0].score) == (["no"], {}, 1.0)
    assert compared({"a": model([True] * 40, actual=[0] * 10 + [1] * 30)}).rare == {"no": 10}
    assert compared({"a": model([True] * 40, actual=[0] * 11 + [1] * 29)}).rare == {}


def test_what_is_drawn_is_drawn_by_the_seed():
    models = {
        "a": model(some(0.8)),
        "b": replace(model(some(0.7, seed=1)), validation=said(some(0.8, CHOOSE, 1), [0] * CHOOSE)),
    }
    assert compared(models) == compared(models)
    assert compared(models) != compared(models, seed=43)


def seeds_of(share: float, seeds: int, spread: float = 0.0, rows: int = 400, first: int = 0) -> np.ndarray:
    """Right answers of several seeds, each on a different share of the documents."""
    shares = share + spread * np.linspace(-1, 1, seeds)
    return np.stack([some(one, rows, first + number) for number, one in enumerate(shares)])


def test_the_estimate_is_the_mean_of_the_seeds_and_their_luck_widens_the_interval():
    steady = seeds_of(0.8, 1).repeat(3, 0)
    shaky = seeds_of(0.8, 3, 0.15)
    found = {each.name: each for each in compared({"steady": model(steady), "shaky": model(shaky)}).models}
    assert found["shaky"].score == pytest.approx(shaky.mean(), abs=1e-6)
    assert found["shaky"].sd == pytest.approx(shaky.mean(1).std(ddof=1), abs=1e-6)
    assert (found["steady"].sd, found["shaky"].seeds) == (0, 3)
    width = {name: each.high - each.low for name, each in found.items()}
    assert width["shaky"] > 2 * width["steady"]


@pytest.mark.parametrize("config", [CONFIG, F1])
def test_seeds_that_are_all_alike_give_what_one_gives(config):
    a, b = some(0.8), some(0.7, seed=1)
    one = compared({"a": model(a), "b": model(b)}, config)
    three = compared({"a": model(np.stack([a] * 3)), "b": model(np.stack([b] * 3))}, config)
    for a, b in zip(three.models, one.models, strict=True):
        assert (a.score, a.low, a.high) == pytest.approx((b.score, b.low, b.high), abs=2e-6)
    (a,), (b,) = three.pairs, one.pairs
    assert (a.difference, a.low, a.high) == pytest.approx((b.difference, b.low, b.high), abs=2e-6)


@pytest.mark.parametrize("by", ["text", "group"])
def test_a_split_of_one_unit_has_scores_and_no_intervals(by):
    rows = 40 if by == "group" else 1
    models = {name: model(some(0.8, rows, seed), group=[0] * rows) for seed, name in enumerate("ab")}
    result = compared(models, by=by)
    assert [(each.low, each.high, each.gain_low) for each in result.models] == [(None, None, None)] * 2
    assert [(pair.low, pair.least, pair.better) for pair in result.pairs] == [(None, None, None)]
    assert (result.test.units, result.test.least, result.test.little) == (1, None, True)


def test_predictions_of_other_documents_are_refused():
    one, two = model(some(0.8)), model(some(0.7))
    ids, actual = two.test.ids.to_list(), two.test.actual.copy()
    ids[3], actual[5] = "zzz", 1 - actual[5]
    for change, message in (
        ({"ids": pl.Series(ids)}, r"metrics/b/predictions.parquet, row 4: zzz .* where a has 0003"),
        ({"actual": actual}, r"row 6: 0005 \(no\), where a has 0005 \(yes\)"),
        ({"ids": two.test.ids[:-1], "actual": actual[:-1]} | {"actual": two.test.actual[:-1]}, r"row 400: nothing"),
    ):
        with pytest.raises(ArtifactError, match=message):
            compared({"a": one, "b": replace(two, test=replace(two.test, **change))})
    with pytest.raises(ArtifactError, match=r"metrics/b/validation.parquet, row 1000: nothing, where a has 03e7"):
        shorter = replace(two.validation, ids=two.validation.ids[:-1], actual=two.validation.actual[:-1])
        compared({"a": one, "b": replace(two, validation=shorter)})
    with pytest.raises(ArtifactError, match=r"metrics/b/scores.json: labels"):
        compared({"a": one, "b": replace(two, labels=["yes", "no"])})


def test_many_models_classes_and_documents_fit_into_memory():
    random, rows, classes = np.random.default_rng(0), 25_000, 100
    actual = random.integers(classes, size=rows)

    def answered(share):
        runs = [np.where(random.random(rows) < share, actual, random.integers(classes, size=rows)) for _ in range(2)]
        return Answers(pl.Series(np.arange(rows).astype(str)), actual, np.stack(runs), np.arange(rows))

    labels = [str(number) for number in range(classes)]
    models = {
        str(n): replace(model([True]), labels=labels, validation=answered(0.8), test=answered(0.7)) for n in range(3)
    }
    tracemalloc.start()
    compared(models, F1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200e6


@pytest.mark.parametrize(("key", "value"), [("metric", "f1"), ("alpha", 0.0), ("alpha", 1.0)])
def test_params_out_of_range(key, value):
    with pytest.raises(ParamsError, match=f"compare.{key}"):
        validate(CONFIG.model_dump() | {key: value}, CompareConfig, "params.yaml: compare")


def test_a_key_of_old_is_accepted_and_does_nothing():
    assert validate({"alpha": 0.05, "bootstrap": 400}, CompareConfig, "params.yaml: compare").bootstrap == 400

import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import accuracy_score, f1_score

from textmill.config import validate
from textmill.errors import ArtifactError, ParamsError
from textmill.judging import comparison
from textmill.judging.comparison import (
    TOLD,
    CompareConfig,
    Evaluated,
    bootstrap_p,
    compare,
    holm,
    interval,
    mcnemar,
    resample,
    resample_seeds,
)
from textmill.judging.metrics import score, tallies

LABELS = ["rotten", "fresh", "plot"]
CONFIG = CompareConfig(metric="accuracy", bootstrap=500, alpha=0.05, ensembles={})


def texts(values) -> np.ndarray:
    return np.array(list(values), dtype=object)


def model(right, validation=0.8, log_loss=0.5, parameters=10, actual=None, labels=("no", "yes")) -> Evaluated:
    """A model that is right on the documents where `right` is True, (N,), or, by seed, (S, N)."""
    right = np.atleast_2d(np.asarray(right, dtype=bool))
    actual = texts(labels[i % 2] for i in range(right.shape[1])) if actual is None else actual
    chosen = {"accuracy": validation, "f1_macro": validation, "log_loss": log_loss}
    test = {**dict.fromkeys(TOLD, 0.5), "roc_auc": None}
    other = {labels[0]: labels[1], labels[1]: labels[0]}
    predicted = {
        seed: texts(label if hit else other[label] for label, hit in zip(actual, run, strict=True))
        for seed, run in enumerate(right)
    }
    ids, folder = texts(f"{i:04x}" for i in range(right.shape[1])), Path("metrics/b")
    return Evaluated(folder, "x", "word", parameters, chosen, test, list(labels), ids, actual, predicted)


def some(share: float, rows: int = 400, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random(rows) < share


def compared(models, config=CONFIG, seed=42, train=None):
    return compare(config, seed, "reviews", train or {"no": 5, "yes": 9}, models)


@given(st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from(LABELS)), min_size=1, max_size=30))
def test_scores_are_those_of_scikit_learn(rows):
    actual, predicted = map(texts, zip(*rows, strict=True))
    sums = tallies(actual, predicted, LABELS).sum(0)
    f1 = f1_score(list(actual), list(predicted), labels=sorted(set(actual)), average="macro", zero_division=0)
    assert score("accuracy", sums) == pytest.approx(accuracy_score(list(actual), list(predicted)), abs=1e-12)
    assert score("f1_macro", sums) == pytest.approx(f1, abs=1e-12)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60))
def test_mcnemar_is_the_binomial_test_of_the_disagreements(rows):
    a, b = np.array(rows).T
    only_a, disagreements = int((a & ~b).sum()), int((a != b).sum())
    expected = binomtest(only_a, disagreements).pvalue if disagreements else 1.0
    assert mcnemar(a, b) == pytest.approx(expected, abs=1e-12)
    assert mcnemar(a, b) == mcnemar(b, a)


def test_holm_on_a_worked_example():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_lies_between_no_correction_and_bonferroni(p):
    corrected = holm(p)
    assert all(x <= y <= min(1, x * len(p)) + 1e-12 for x, y in zip(p, corrected, strict=True))
    assert list(np.argsort(corrected[np.argsort(p)], kind="stable")) == list(range(len(p)))


@pytest.mark.parametrize("metric", ["accuracy", "f1_macro"])
def test_resample_scores_the_drawn_documents(metric, monkeypatch):
    random = np.random.default_rng(3)
    actual, predicted = (texts(random.choice(LABELS, 40)) for _ in range(2))
    draws = np.random.default_rng(7)
    expected = []
    for _ in range(10):
        rows = draws.integers(40, size=40)
        expected.append(float(score(metric, tallies(actual[rows], predicted[rows], LABELS).sum(0))))
    parts = tallies(actual, predicted, LABELS)
    assert resample(metric, [parts], 10, 7)[0] == pytest.approx(expected, abs=1e-12)
    monkeypatch.setattr(comparison, "CELLS", 120)  # three resamples at once
    assert resample(metric, [parts], 10, 7)[0] == pytest.approx(expected, abs=1e-12)


def test_resample_of_a_model_does_not_depend_on_the_others():
    one, two = (model(some(0.8, seed=seed)) for seed in (1, 2))
    parts = [tallies(each.actual, each.predicted[0], ["no", "yes"]) for each in (one, two)]
    assert (resample("accuracy", parts, 50, 1)[1] == resample("accuracy", parts[1:], 50, 1)[0]).all()


def test_memory_does_not_grow_with_the_resamples():
    each = model(some(0.8, rows=25_000))
    parts = [tallies(each.actual, each.predicted[0], ["no", "yes"])] * 5
    tracemalloc.start()
    resample("f1_macro", parts, 400, 0)  # all counts at once: 200 MB
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60e6


def test_interval_has_about_the_width_of_theory_and_holds_the_estimate():
    found = compared({"a": model(some(0.8, rows=2000))}).models[0]
    assert found.low <= found.score <= found.high
    assert found.high - found.low == pytest.approx(2 * 1.96 * np.sqrt(0.8 * 0.2 / 2000), rel=0.15)


def test_an_interval_holds_its_share_of_the_resamples_and_the_estimate():
    resampled = np.arange(101) / 100
    assert interval(resampled, 0.5, 0.1) == {"low": 0.05, "high": 0.95}
    assert interval(resampled, 0.97, 0.1) == {"low": 0.05, "high": 0.97}
    assert interval(resampled, 0.02, 0.1) == {"low": 0.02, "high": 0.95}


def test_bootstrap_p():
    assert bootstrap_p(np.full(199, 0.1)) == 2 / 200
    assert bootstrap_p(np.zeros(199)) == 1.0


def test_a_clear_difference_is_found_and_a_doubtful_one_is_a_tie():
    good, close, bad = some(0.9), some(0.9), some(0.6, seed=1)
    close[:4] = ~good[:4]
    result = compared({"good": model(good, 0.9), "close": model(close, 0.8), "bad": model(bad, 0.7)})
    better = {(pair.a, pair.b): pair.better for pair in result.pairs}
    assert better == {("good", "close"): None, ("good", "bad"): "good", ("close", "bad"): "close"}
    assert result.standing == {"beats": ["bad"], "ties": ["close"], "loses": []}
    assert all(pair.p_holm >= pair.p for pair in result.pairs)


def test_what_is_sure_alone_may_be_a_tie_among_many():
    right = np.ones(400, dtype=bool)
    a, b = right.copy(), right.copy()
    a[:2], b[2:12] = False, False  # they disagree on 12 documents, 10 of them in favour of a
    assert compared({"a": model(a, 0.9), "b": model(b)}).pairs[0].better == "a"
    pair = compared({"a": model(a, 0.9), "b": model(b), "c": model(a, 0.7)}).pairs[0]
    assert (pair.p < 0.05 < pair.p_holm, pair.low > 0, pair.better) == (True, True, None)


def test_better_needs_the_interval_too(monkeypatch):
    monkeypatch.setattr(comparison, "mcnemar", lambda a, b: 0.0)
    assert compared({"a": model(some(0.8)), "b": model(some(0.8, seed=1))}).pairs[0].better is None


@pytest.mark.parametrize("metric", ["accuracy", "f1_macro"])
def test_equal_models_are_rarely_told_apart(metric):
    config = CompareConfig(metric=metric, bootstrap=200, alpha=0.05, ensembles={})
    pairs = [compared({n: model(some(0.7, 200, 2 * i + j)) for j, n in enumerate("ab")}, config) for i in range(60)]
    assert sum(result.pairs[0].better is not None for result in pairs) <= 6


def test_a_model_ties_with_itself():
    each = model(some(0.8))
    pair = compared({"a": each, "b": each}).pairs[0]
    assert (pair.difference, pair.low, pair.high, pair.p, pair.better) == (0, 0, 0, 1, None)


def test_the_champion_is_chosen_on_validation_and_may_lose_on_test():
    result = compared({"lucky": model(some(0.95), 0.7), "chosen": model(some(0.6, seed=1), 0.8)})
    assert result.champion == "chosen"
    assert result.champion_by == "validation accuracy"
    assert result.standing == {"beats": [], "ties": [], "loses": ["lucky"]}


def test_between_equals_log_loss_then_size_then_name_decide():
    right = some(0.8)
    models = {
        "d": model(right, 0.8, 0.6, 1),
        "c": model(right, 0.8, 0.5, 9),
        "b": model(right, 0.8, 0.5, 5),
        "a": model(right, 0.8, 0.5, 9),
    }
    assert [each.name for each in compared(models).models] == ["b", "a", "c", "d"]


def test_the_baseline_is_the_majority_of_the_training_split():
    actual = texts(["yes"] * 30 + ["no"] * 10)
    result = compared({"a": model([True] * 40, actual=actual)}, train={"no": 7, "yes": 3})
    assert result.baseline.model_dump() == {"label": "no", "accuracy": 0.25, "f1_macro": 0.2}


def test_classes_that_no_test_document_has_are_named_and_take_nothing_off_a_macro_average():
    one = model([True] * 40, actual=texts(["yes"] * 40))
    result = compared({"a": one}, config=CONFIG.model_copy(update={"metric": "f1_macro"}))
    assert (result.absent, result.models[0].score, result.models[0].low) == (["no"], 1.0, 1.0)
    assert "absent" not in compared({"a": model(some(0.8))}).model_dump(exclude_unset=True)


def test_the_seed_decides():
    models = {"a": model(some(0.8)), "b": model(some(0.7, seed=1))}
    assert compared(models) == compared(models)
    assert compared(models) != compared(models, seed=43)


def seeds_of(share: float, seeds: int, spread: float = 0.0, rows: int = 400, first: int = 0) -> np.ndarray:
    """Right answers of several seeds, each right on another share of its own documents."""
    shares = share + spread * np.linspace(-1, 1, seeds)
    return np.stack([some(one, rows, first + number) for number, one in enumerate(shares)])


@given(st.integers(0, 9))
def test_one_seed_is_scored_as_its_documents_alone(seed):
    scores = np.random.default_rng(seed).random((50, 1))
    assert (resample_seeds(scores, "a", 1) == scores[:, 0]).all()


@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_resampled_seeds_vary_as_the_mean_of_so_many_does(seeds):
    scores = np.random.default_rng(seeds).normal(size=seeds)
    found = resample_seeds(np.tile(scores, (200_000, 1)), "a", 1)
    assert found.mean() == pytest.approx(scores.mean(), abs=0.01)
    assert found.var() == pytest.approx(scores.var(ddof=1) / seeds, rel=0.02)


def test_the_order_of_the_seeds_decides_nothing():
    right = seeds_of(0.8, 3, 0.05)
    a, b = model(right), model(some(0.7, seed=9))
    turned = replace(a, predicted=dict(reversed(a.predicted.items())))
    assert compared({"a": turned, "b": b}) == compared({"a": a, "b": b})


def test_the_estimate_is_the_mean_of_the_seeds_and_their_luck_widens_the_interval():
    steady = seeds_of(0.8, 1).repeat(3, 0)
    shaky = seeds_of(0.8, 3, 0.15)
    found = {each.name: each for each in compared({"steady": model(steady), "shaky": model(shaky)}).models}
    assert found["shaky"].score == pytest.approx(shaky.mean(), abs=1e-6)
    assert found["shaky"].sd == pytest.approx(shaky.mean(1).std(ddof=1), abs=1e-6)
    assert (found["steady"].sd, found["shaky"].seeds) == (0, 3)
    width = {name: each.high - each.low for name, each in found.items()}
    assert width["shaky"] > 2 * width["steady"]


def test_seeds_that_are_all_alike_give_what_one_gives():
    a, b = some(0.8), some(0.7, seed=1)
    one = compared({"a": model(a), "b": model(b)})
    three = compared({"a": model(np.stack([a] * 3)), "b": model(np.stack([b] * 3))})
    for a, b in zip(three.models, one.models, strict=True):
        assert (a.score, a.low, a.high) == pytest.approx((b.score, b.low, b.high), abs=2e-6)
    (a,), (b,) = three.pairs, one.pairs
    assert (a.difference, a.low, a.high) == pytest.approx((b.difference, b.low, b.high), abs=2e-6)
    assert (one.pairs[0].test, three.pairs[0].test) == ("mcnemar", "bootstrap")


def test_mcnemar_judges_single_runs_only():
    config = CompareConfig(metric="accuracy", bootstrap=1000, alpha=0.05, ensembles={})
    models = {"a": model(some(0.8), 0.9), "b": model(some(0.7, seed=1), 0.8), "c": model(seeds_of(0.6, 2), 0.7)}
    tests = {(pair.a, pair.b): pair.test for pair in compared(models, config).pairs}
    assert tests == {("a", "b"): "mcnemar", ("a", "c"): "bootstrap", ("b", "c"): "bootstrap"}


def test_a_model_of_several_seeds_ties_with_its_twin():
    each = model(seeds_of(0.8, 3, 0.05))
    pair = compared({"a": each, "b": each}).pairs[0]
    assert (pair.difference, pair.better) == (0, None)
    assert pair.p > 0.8


@pytest.mark.parametrize("seeds", [2, 3])
def test_models_that_differ_by_the_luck_of_their_seeds_are_rarely_told_apart(seeds):
    config = CompareConfig(metric="accuracy", bootstrap=200, alpha=0.05, ensembles={})
    luck, told = np.random.default_rng(1), 0
    for trial in range(60):
        runs = [
            np.stack([some(0.7 + luck.normal(0, 0.03), 200, 100 * trial + 10 * m + s) for s in range(seeds)])
            for m in range(2)
        ]
        (pair,) = compared({"a": model(runs[0]), "b": model(runs[1])}, config).pairs
        told += pair.better is not None
    assert told <= 6


def test_predictions_of_other_documents_are_refused():
    one, two = model(some(0.8)), model(some(0.7))
    ids, actual = two.ids.copy(), two.actual.copy()
    ids[3], actual[5] = "zzz", "yes" if actual[5] == "no" else "no"
    with pytest.raises(ArtifactError, match=r"metrics/b/predictions.parquet, row 4: zzz .* where a has 0003"):
        compared({"a": one, "b": replace(two, ids=ids)})
    with pytest.raises(ArtifactError, match=r"row 6: 0005 \(no\), where a has 0005 \(yes\)"):
        compared({"a": one, "b": replace(two, actual=actual)})
    with pytest.raises(ArtifactError, match=r"row 400: nothing .* where a has 018f"):
        compared({"a": one, "b": replace(two, ids=two.ids[:-1], actual=two.actual[:-1])})
    with pytest.raises(ArtifactError, match=r"metrics/b/scores.json: labels"):
        compared({"a": one, "b": replace(two, labels=["yes", "no"])})


def test_too_few_resamples_for_many_pairs_are_refused():
    config = CompareConfig(metric="f1_macro", bootstrap=300, alpha=0.05, ensembles={})
    models = {name: model(some(0.8, 50)) for name in "abcdefg"}
    with pytest.raises(ParamsError, match=r"compare.bootstrap: 300 cannot decide 21 pairs; at least 8\d\d"):
        compared(models, config)


@pytest.mark.parametrize(
    ("key", "value"), [("metric", "f1"), ("bootstrap", 99), ("alpha", 0.0), ("alpha", 1.0), ("bootstrap", 2.5)]
)
def test_params_out_of_range(key, value):
    with pytest.raises(ParamsError, match=f"compare.{key}"):
        validate(CONFIG.model_dump() | {key: value}, CompareConfig, "params.yaml: compare")

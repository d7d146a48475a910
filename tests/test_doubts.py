"""Doubts about a comparison, as facts and in words."""

import re
from dataclasses import replace

import numpy as np
import pytest
from test_comparison import CONFIG, model, said, some
from test_report import made_up, outcome, page

from textmill.judging.comparison import compare
from textmill.judging.doubts import (
    BehindLinear,
    CannotTell,
    FewUnits,
    HardlyTrained,
    KeptEarly,
    NoBetterThanAlways,
    StillImproving,
    TooGood,
    Unsolved,
    doubts,
)
from textmill.report.doubts import lines

LEARNING = {"epochs": 8, "updates": 48, "batch_documents": 31.5, "learned": 0.5, "kept": 0.4}


def doubted(rows=4000, held=2000, test=None, train=None, by="text", **fits):
    """Returns the doubts about a linear model at 80 % and networks given as {"lstm": (validation, fit)}."""
    facts, *_ = made_up(["linear", *fits])
    judged = {"linear": replace(model(some(0.8, rows), validation=0.8), family="linear")}
    for number, (name, (validation, fit)) in enumerate(fits.items(), 1):
        judged[name] = model(some(0.79, rows, number), validation=validation)
        facts[name]["fit"] |= fit
    judged |= test or {}
    for number, (name, one) in enumerate(judged.items()):
        share = (one.validation.predicted == one.validation.actual).mean()
        right = np.roll(np.arange(held) < round(share * held), number * held // 3)
        judged[name] = replace(one, validation=said(right, np.zeros(held, int)))
    comparison = compare(CONFIG, 42, "reviews", train or {"no": 5, "yes": 9}, judged, by)
    found = doubts(comparison, {name: outcome(name, told) for name, told in facts.items()})
    return [one for one in found if not isinstance(one, TooGood)]


@pytest.mark.parametrize(
    ("validation", "fit", "expected"),
    [
        (0.8, {}, []),  # a file of an older version
        (0.8, {"learning": LEARNING}, []),
        (0.8, {"learning": LEARNING | {"learned": 0.15}}, [HardlyTrained("lstm", 0.15)]),
        (0.8, {"learning": LEARNING | {"learned": -0.2}}, [HardlyTrained("lstm", -0.2)]),
        (0.8, {"learning": LEARNING | {"learned": 0.151}}, []),
        (0.8, {"learning": LEARNING | {"kept": 0.15}}, [KeptEarly("lstm", 1)]),
        (0.8, {"learning": LEARNING | {"learned": 0.1, "kept": 0.1}}, [HardlyTrained("lstm", 0.1)]),
        (0.8, {"learning": LEARNING, "best_epoch": 3}, [StillImproving("lstm", 3)]),
        (0.8, {"learning": LEARNING, "epochs": 1, "best_epoch": 1}, []),
        (0.75, {}, [BehindLinear("lstm", "linear", pytest.approx(0.05))]),
        (0.751, {}, []),
        (0.8, {"solver": {"iterations": 1000, "converged": False}}, [Unsolved("lstm", 1000)]),
        (0.8, {"solver": {"iterations": 20, "converged": True}}, []),
    ],
)
def test_what_went_wrong_in_training(validation, fit, expected):
    assert doubted(lstm=(validation, fit)) == expected


@pytest.mark.parametrize("share", [0.5, 0.96])
def test_a_model_that_always_gives_one_answer(share):
    actual = (np.arange(500) < round(share * 500)).astype(int)
    right = {
        "linear": actual == 1,
        "gru": np.arange(500) != 17,  # one mistake
        "lstm": (actual == 1) ^ (np.arange(500) == 499),  # one document better than always yes
    }
    models = {name: model(hits, actual=actual) for name, hits in right.items()}
    (found,) = [one for one in doubted(500, 500, models, gru=(0.8, {}), lstm=(0.8, {})) if "models" in vars(one)]
    expected = NoBetterThanAlways(["linear", "lstm"], "yes", share, 500, "accuracy", share > 0.9)
    assert replace(found, models=sorted(found.models)) == expected
    advised = lines([found])[0].endswith("compare.metric: f1_macro, and for networks train.class_weights: balanced")
    assert advised == (share > 0.9)
    assert "train.class_weights" not in lines([replace(found, imbalanced=False)])[0]
    assert "compare.metric" not in lines([replace(found, metric="f1_macro")])[0]


@pytest.mark.parametrize(
    ("rows", "held", "blind"), [(4000, 2000, []), (4000, 60, ["validation"]), (60, 4000, ["test"])]
)
def test_splits_too_small_to_show_differences(rows, held, blind):
    found = [one for one in doubted(rows, held, lstm=(0.8, {})) if isinstance(one, CannotTell)]
    assert [(one.split, one.rows) for one in found] == [(name, 60) for name in blind]
    # Two models that are wrong on different fifths: 2 x sqrt(2 x .8 x .2 / 60)
    assert all(one.difference == pytest.approx(0.146, rel=0.2) for one in found)


def test_models_that_agree_do_not_make_a_split_look_sharp():
    same = {"lstm": model(some(0.8, 30), validation=0.8)}
    (*_, last) = doubted(30, 4000, same, lstm=(0.8, {}))
    assert last == CannotTell("test", 30, pytest.approx(6 / 30))


@pytest.mark.parametrize(
    ("groups", "few", "told"),
    [
        (
            1,
            FewUnits("test", "group", 1, 1.0),
            "test: all in one group, so the luck in its scores",
        ),
        (
            4,
            FewUnits("test", "group", 4, 3.1),
            "test: 4 groups, worth 3.1 of equal size: too few for reliable",
        ),
        (40, None, None),
    ],
)
def test_a_test_split_of_few_groups(groups, few, told):
    sizes = np.sort(np.arange(800) ** 2 // 800) * groups // 800 if groups < 10 else np.arange(800) % groups
    test = {name: model(some(0.8, 800, seed), group=sizes) for seed, name in enumerate(["linear", "lstm"])}
    found = [one for one in doubted(800, 2000, test, by="group", lstm=(0.8, {})) if isinstance(one, FewUnits)]
    if few:
        assert [replace(one, effective=few.effective) for one in found] == [few]
        assert told in lines([few])[0]
    else:
        assert not found


def test_lines_are_few_and_the_same_on_the_page():
    def change(models, clean, split):
        models["lstm"]["fit"] |= {"learning": LEARNING | {"learned": 0.04}, "best_epoch": 3}
        models["lstm"]["fit"]["validation"] |= {"accuracy": 0.5}

    html = page(change=change, rows=60)
    told = re.findall(r"<li>(.*?)\.</li>", re.search(r'<ul class="warn".*?</ul>', html, re.S)[0])
    assert [line.partition(":")[0] for line in told] == ["lstm", "test"]
    assert "hardly trained: its loss ended at 96\N{NO-BREAK SPACE}% of guessing" in told[0]
    assert "still improving at the end, after 3 epochs" in told[0]


def test_validation_is_too_good_where_it_chose_epochs():
    facts, *_ = made_up(["linear", "gru", "lstm"])
    judged = {name: model(some(0.8, 2000), validation=0.9) for name in facts}
    judged["lstm"] = model(some(0.8, 2000), validation=0.85)
    score = some(0.8, 2000).mean()
    comparison = compare(CONFIG, 42, "reviews", {"no": 5, "yes": 9}, judged)
    models = {name: outcome(name, told) for name, told in facts.items()}
    (found,) = [one for one in doubts(comparison, models) if isinstance(one, TooGood)]
    assert found.networks == pytest.approx((0.85 - score, 0.9 - score), abs=1e-6)
    assert found.others == pytest.approx((0.9 - score,) * 2, abs=1e-6)
    told = "validation: networks score +1.6 to +2.6 points more than on test, because it chose their epochs"
    assert lines([TooGood((0.016, 0.026), (0.0, 0.0))]) == [f"{told}; other models 0.0"]

"""How often the intervals keep their promise, and how often equal models are called different: the code of `compare` on
made-up answers whose truth is known.

Run `python demos/coverage.py`; `python demos/coverage.py 50` draws 50 experiments of each kind.

The models have different errors and the same true score; all pairs are compared (of five models, ten), at 95 %. The
documents of a group are alike for all models (ICC .03) and, to the same degree, for each model in its own way. Skewed
groups have log-normal sizes. Seeds move a model three times as far as its documents do. `interval`: the share of models
whose interval contains the true score. `all pairs`: the share of experiments in which the intervals of all differences
contain the true ones. `false "better"`: the share in which a model is called better and is not. Models that are `apart`
are 0, 1, 2, 3 and 5 points below the first. `groups, as documents` treats the documents of groups as independent.
"""

import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri
from trial import report

from textmill.judging import units
from textmill.judging.answers import Answers
from textmill.judging.differences import Settings, pairs
from textmill.judging.estimates import estimate, interval
from textmill.judging.metrics import score
from textmill.judging.units import Units

ALPHA, DRAWS = 0.05, 1000  # experiments of each kind; half as many for macro-F1
BALANCED, RARE, FOUR = (0.5, 0.5), (0.97, 0.03), (0.6, 0.3, 0.08, 0.02)
LIKE = 0.03  # variance that a group's documents share for all models, and again for each model
APART = (0.0, 0.01, 0.02, 0.03, 0.05)


class Setting(NamedTuple):
    """One kind of experiment."""

    metric: str
    rows: int
    right: float  # true accuracy, before classes differ
    classes: tuple[float, ...] = BALANCED  # their shares
    groups: int = 0
    skewed: bool = False
    seeds: int = 1
    equal: bool = True
    models: int = 5
    known: bool = True  # whether the comparison knows the groups


SETTINGS = [
    *(Setting("accuracy", rows, right) for rows in (200, 2500) for right in (0.6, 0.78, 0.95)),
    Setting("accuracy", 2500, 0.78, equal=False),
    *(Setting("accuracy", 25 * count, 0.78, groups=count, skewed=skewed)
      for count in (10, 20, 50, 100) for skewed in (False, True)),
    Setting("accuracy", 2500, 0.78, groups=100, equal=False),
    *(Setting("accuracy", 2500, 0.78, groups=100, skewed=skewed, known=False) for skewed in (False, True)),
    *(Setting("f1_macro", 2500, 0.78, shares) for shares in (BALANCED, RARE, FOUR)),
    Setting("f1_macro", 500, 0.78, FOUR),
    Setting("f1_macro", 500, 0.95, FOUR),
    Setting("f1_macro", 500, 0.95, FOUR, equal=False),
    Setting("f1_macro", 2500, 0.78, FOUR, equal=False),
    *(Setting("f1_macro", 25 * count, 0.78, shares, groups=count, skewed=True)
      for count in (20, 100) for shares in (BALANCED, FOUR)),
    *(Setting("accuracy", 2500, 0.78, seeds=seeds, models=models) for models in (2, 5) for seeds in (2, 3, 5)),
    *(Setting("accuracy", 2500, 0.78, groups=100, skewed=True, seeds=seeds) for seeds in (2, 3, 5)),
    *(Setting("f1_macro", 2500, 0.78, FOUR, seeds=seeds) for seeds in (3, 5)),
]  # fmt: skip


def confusions(setting: Setting) -> NDArray[np.float64]:
    """Returns each model's answers by class: (M, K, K), rows sum to 1. True scores are equal, or differ by `APART`.

    The models err differently: each is worse on one class and better on another than the mean.
    """
    size, shares = len(setting.classes), np.array(setting.classes)
    found = []
    for number in range(setting.models):
        lean = np.roll(np.linspace(-1, 1, size), number) * 0.04
        wrong = (1 - setting.right) * np.ones(size)
        goal = setting.right if setting.metric == "accuracy" else true_score(setting, _spread(wrong, 0, size), shares)
        goal -= 0 if setting.equal else APART[number]
        low, high = -0.5, 0.5  # added to the errors of all classes until the score is the goal
        for _ in range(60):
            middle = (low + high) / 2
            table = _spread(np.clip(wrong + lean + middle, 0.001, 0.999), number, size)
            low, high = (middle, high) if true_score(setting, table, shares) > goal else (low, middle)
        found.append(table)
    return np.stack(found)


def _spread(wrong: NDArray[np.float64], number: int, size: int) -> NDArray[np.float64]:
    """Returns a model's answers (K, K), given each class's share of wrong ones, spread unevenly over the others."""
    towards = np.roll(1 + np.arange(size, dtype=float), number) * (1 - np.eye(size))
    return np.diag(1 - wrong) + wrong[:, None] * towards / towards.sum(1, keepdims=True)


def true_score(setting: Setting, table: NDArray[np.float64], shares: NDArray[np.float64]) -> float:
    """Returns the score on infinitely many documents."""
    joint = 1e9 * shares[:, None] * table
    return float(score(setting.metric, np.stack([joint.diagonal(), joint.sum(1), joint.sum(0)])))


def drawn_units(setting: Setting, random: np.random.Generator) -> Units:
    """Returns units: documents, or groups of documents with equal or log-normal sizes."""
    if not setting.groups:
        return units.units_of(np.arange(setting.rows))
    chances = np.exp(random.normal(0, 0.8, setting.groups))
    equal = np.arange(setting.rows) % setting.groups
    return units.units_of(
        random.choice(setting.groups, setting.rows, p=chances / chances.sum()) if setting.skewed else equal
    )


def drawn(setting: Setting, tables: NDArray[np.float64], random: np.random.Generator) -> tuple[Units, list[Answers]]:
    """Returns an experiment: each model's answers for the same documents."""
    own, rows = drawn_units(setting, random), setting.rows
    like = LIKE if setting.groups else 0.0
    luck = 3 * (setting.right * (1 - setting.right) / rows) ** 0.5  # of a seed, in accuracy
    luck /= np.exp(-(ndtri(setting.right) ** 2) / 2) / np.sqrt(2 * np.pi)  # in the normal variable below
    luck = luck if setting.seeds > 1 else 0.0
    actual = random.choice(len(setting.classes), rows, p=setting.classes)
    for_all = np.sqrt(like) * random.normal(size=len(own.sizes))[own.of] + np.sqrt(0.3) * random.normal(size=rows)
    ids, answers = pl.Series(np.arange(rows).astype(str)), []
    for table in tables:
        in_its_way = np.sqrt(like) * random.normal(size=len(own.sizes))[own.of]
        runs = []
        for _ in range(setting.seeds):
            rest = max(0.0, 0.7 - 2 * like - luck**2)
            hidden = for_all + in_its_way + luck * random.normal() + np.sqrt(rest) * random.normal(size=rows)
            order = np.argsort(-table, axis=1)  # the likeliest answer first: documents are equally hard for all models
            steps = np.take_along_axis(table, order, 1).cumsum(1)[actual]
            runs.append(order[actual, np.minimum((ndtr(hidden)[:, None] > steps).sum(1), len(table) - 1)])
        answers.append(Answers(ids, actual, np.stack(runs), own.of))
    return own if setting.known else units.units_of(np.arange(rows)), answers


def experiment(setting: Setting, tables: NDArray[np.float64], seed: int) -> tuple[float, bool, bool]:
    """Returns the share of intervals that contain the truth, whether all pairs' do, and whether a verdict is false."""
    own, models = drawn(setting, tables, np.random.default_rng(seed))
    size, shares = len(setting.classes), np.array(setting.classes)
    truth = {str(number): true_score(setting, table, shares) for number, table in enumerate(tables)}
    estimates = {
        str(n): estimate(setting.metric, each.actual, each.predicted, size, own) for n, each in enumerate(models)
    }
    by = Settings(setting.metric, size, own, ALPHA, seed)
    found = pairs(by, estimates, {str(number): each for number, each in enumerate(models)})
    ends = {name: interval(own, each, ALPHA) for name, each in estimates.items()}
    held = [low <= truth[name] <= high for name, (low, high) in ends.items() if low is not None and high is not None]
    gaps = [truth[pair.a] - truth[pair.b] for pair in found]
    missed = [not (pair.low or 0) <= gap <= (pair.high or 0) for pair, gap in zip(found, gaps, strict=True)]
    false = [
        pair.better is not None and (abs(gap) < 1e-9 or (pair.better == pair.a) != (gap > 0))
        for pair, gap in zip(found, gaps, strict=True)
    ]
    return float(np.mean(held)), not any(missed), any(false)


def row(setting: Setting, draws: int) -> dict[str, Any]:
    """Returns a row of the table: rates in per cent with standard errors."""
    tables = confusions(setting)
    held, together, false = np.array([experiment(setting, tables, seed) for seed in range(draws)], dtype=float).T
    return {
        "metric": setting.metric,
        "units": _units(setting),
        "classes": "/".join(f"{100 * share:g}" for share in setting.classes),
        "right": f"{100 * setting.right:g}",
        "seeds": str(setting.seeds),
        "models": f"{setting.models} {'equal' if setting.equal else 'apart'}",
        "interval": rate(held),
        "all pairs": rate(together),
        'false "better"': rate(false),
    }


def _units(setting: Setting) -> str:
    if not setting.groups:
        return f"{setting.rows:,} documents"
    described = f"{setting.groups} groups of {setting.rows // setting.groups}{', skewed' if setting.skewed else ''}"
    return described + ("" if setting.known else ", as documents")


def rate(values: Sequence[float] | NDArray[np.float64]) -> str:
    """Returns a mean in per cent, with its standard error."""
    return f"{100 * np.mean(values):.1f} ± {100 * np.std(values) / len(values) ** 0.5:.1f}"


def main(draws: int | None = None) -> None:
    draws = draws or DRAWS
    rows = [row(setting, draws if setting.metric == "accuracy" else (draws + 1) // 2) for setting in SETTINGS]
    report("coverage", f"{draws:,} experiments of each kind, macro-F1 half as many, %", rows)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else None)

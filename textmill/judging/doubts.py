"""Reasons to doubt a comparison, as facts. `textmill.report.doubts` has the words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import median

from textmill.records.comparison import Comparison, Entry
from textmill.records.fit import Fit
from textmill.records.outcome import Outcome

FAR = 0.05  # the deficit against a linear model that is reported, and a difference that each split should show
PLAIN = 0.005  # half a point: the gap between validation and test from which it is reported
IMBALANCED = 0.8  # share of one class that makes accuracy misleading


@dataclass(frozen=True)
class HardlyTrained:
    """A network whose last training loss went only this share of the way from guessing to knowing."""

    model: str
    learned: float


@dataclass(frozen=True)
class KeptEarly:
    """A network whose chosen epoch is one in which it had hardly begun to learn."""

    model: str
    epoch: int


@dataclass(frozen=True)
class StillImproving:
    """A network whose last epoch was its best."""

    model: str
    epochs: int


@dataclass(frozen=True)
class BehindLinear:
    """A model that is this much worse than a linear model on validation."""

    model: str
    linear: str
    difference: float


@dataclass(frozen=True)
class Unsolved:
    """A linear model that did not reach its optimum in this many iterations."""

    model: str
    iterations: int


@dataclass(frozen=True)
class NoBetterThanAlways:
    """Models that are not significantly better than a constant answer on the test split. `score` is that answer's."""

    models: list[str]
    label: str
    score: float
    rows: int
    metric: str
    imbalanced: bool


@dataclass(frozen=True)
class CannotTell:
    """A split that cannot show differences smaller than this."""

    split: str
    rows: int
    difference: float


@dataclass(frozen=True)
class TooGood:
    """How much higher networks score on validation, which chose their epochs, than on test; and other models."""

    networks: tuple[float, float]  # the smallest and the largest
    others: tuple[float, float] | None


@dataclass(frozen=True)
class FewUnits:
    """A split with so few groups or documents that its intervals say little. With one unit there are none."""

    split: str
    by: str
    units: int
    effective: float


Doubt = (
    HardlyTrained
    | KeptEarly
    | StillImproving
    | BehindLinear
    | Unsolved
    | NoBetterThanAlways
    | CannotTell
    | TooGood
    | FewUnits
)


def doubts(comparison: Comparison, models: Mapping[str, Outcome]) -> list[Doubt]:
    """Returns all doubts: first those about single models, in the order of the comparison.

    models: by name; ensembles have none.
    """
    linear = next((model for model in comparison.models if model.family == "linear"), None)
    found: list[Doubt] = []
    for model in comparison.models:
        if model.name in models:
            found += of_training(model, models[model.name].fit, linear)
    return [*found, *of_baseline(comparison), *of_splits(comparison), *of_choice(comparison, models)]


def of_training(model: Entry, fit: Fit, linear: Entry | None) -> Iterator[Doubt]:
    """Yields what went wrong in training. linear: the linear model that is best on validation."""
    if fit.learning and fit.hardly_trained:
        yield HardlyTrained(model.name, fit.learning.learned)
    if fit.kept_early:
        yield KeptEarly(model.name, fit.best_epoch)
    if fit.still_improving and model.validation < 1:
        yield StillImproving(model.name, fit.epochs)
    if linear and round(linear.validation - model.validation, 6) >= FAR:
        yield BehindLinear(model.name, linear.name, linear.validation - model.validation)
    if fit.solver and not fit.solver.converged:
        yield Unsolved(model.name, fit.solver.iterations)


def of_baseline(comparison: Comparison) -> Iterator[Doubt]:
    """Yields models that are no better than always predicting the most common class."""
    baseline = comparison.baseline
    equal = [model.name for model in comparison.models if model.gain_low is not None and model.gain_low <= 0]
    if equal:
        score, imbalanced = baseline.scores[comparison.metric], (baseline.scores["accuracy"] or 0) >= IMBALANCED
        yield NoBetterThanAlways(equal, baseline.label, score or 0, comparison.rows, comparison.metric, imbalanced)


def of_splits(comparison: Comparison) -> Iterator[Doubt]:
    """Yields splits that are too small to choose or to judge by."""
    for name, judging in (("validation", comparison.validation), ("test", comparison.test)):
        if judging.little:
            yield FewUnits(name, judging.by, judging.units, judging.effective)
        elif judging.least is not None and judging.least > FAR:
            yield CannotTell(name, judging.rows, judging.least)


def of_choice(comparison: Comparison, models: Mapping[str, Outcome]) -> Iterator[Doubt]:
    """Yields how much choosing an epoch inflated validation scores: with several epochs, and with one."""
    gaps: dict[bool, list[float]] = {True: [], False: []}
    for model in comparison.models:
        if model.name in models:
            gaps[models[model.name].fit.epochs > 1].append(model.validation - model.score)
    networks, others = gaps[True], gaps[False]
    if networks and median(networks) > PLAIN:
        yield TooGood((min(networks), max(networks)), (min(others), max(others)) if others else None)

"""What there is to doubt in a comparison: facts alone, `textmill.report.doubts` has the words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import median

from textmill.records.comparison import Comparison, Entry
from textmill.records.fit import Fit
from textmill.records.outcome import Outcome

FAR = 0.05  # what a network may be behind the linear model, and a difference that each split should show
PLAIN = 0.005  # half a point: what validation must flatter networks by to be told
IMBALANCED = 0.8  # share of one class that makes accuracy say little


@dataclass(frozen=True)
class HardlyTrained:
    """The last training loss of a network went only this share of the way from guessing to knowing."""

    model: str
    learned: float


@dataclass(frozen=True)
class KeptEarly:
    """The epoch that validation chose, in which a network had hardly begun to learn."""

    model: str
    epoch: int


@dataclass(frozen=True)
class StillImproving:
    """A network's last epoch was its best one."""

    model: str
    epochs: int


@dataclass(frozen=True)
class BehindLinear:
    """How much worse than a linear model another is on validation."""

    model: str
    linear: str
    difference: float


@dataclass(frozen=True)
class Unsolved:
    """A linear model whose optimum was not reached in so many iterations."""

    model: str
    iterations: int


@dataclass(frozen=True)
class NoBetterThanAlways:
    """Models that the test split does not show to be better than one answer for all; `score` is what that has."""

    models: list[str]
    label: str
    score: float
    rows: int
    metric: str
    imbalanced: bool


@dataclass(frozen=True)
class CannotTell:
    """A split that shows no difference between models smaller than this."""

    split: str
    rows: int
    difference: float


@dataclass(frozen=True)
class TooGood:
    """How much more networks, and other models, score on validation than on test: it chose the networks' epochs."""

    networks: tuple[float, float]  # the least and the most
    others: tuple[float, float] | None


@dataclass(frozen=True)
class FewUnits:
    """A split of so few groups, or documents, that its intervals tell little; with one unit there are none."""

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
    """All of them: those about one model first, in the order of the comparison.

    models: by name; ensembles have none.
    """
    linear = next((model for model in comparison.models if model.family == "linear"), None)
    found: list[Doubt] = []
    for model in comparison.models:
        if model.name in models:
            found += of_training(model, models[model.name].fit, linear)
    return [*found, *of_baseline(comparison), *of_splits(comparison), *of_choice(comparison, models)]


def of_training(model: Entry, fit: Fit, linear: Entry | None) -> Iterator[Doubt]:
    """What went wrong while a model was fitted. `linear`: the linear model that is best on validation."""
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
    """Models that might as well always answer the most common class."""
    baseline = comparison.baseline
    equal = [model.name for model in comparison.models if model.gain_low is not None and model.gain_low <= 0]
    if equal:
        score, imbalanced = baseline.scores[comparison.metric], (baseline.scores["accuracy"] or 0) >= IMBALANCED
        yield NoBetterThanAlways(equal, baseline.label, score or 0, comparison.rows, comparison.metric, imbalanced)


def of_splits(comparison: Comparison) -> Iterator[Doubt]:
    """Splits that are too small to choose, or to judge, by."""
    for name, judging in (("validation", comparison.validation), ("test", comparison.test)):
        if judging.little:
            yield FewUnits(name, judging.by, judging.units, judging.effective)
        elif judging.least is not None and judging.least > FAR:
            yield CannotTell(name, judging.rows, judging.least)


def of_choice(comparison: Comparison, models: Mapping[str, Outcome]) -> Iterator[Doubt]:
    """What it does to validation scores that they chose an epoch: the models that have several, and the others."""
    gaps: dict[bool, list[float]] = {True: [], False: []}
    for model in comparison.models:
        if model.name in models:
            gaps[models[model.name].fit.epochs > 1].append(model.validation - model.score)
    networks, others = gaps[True], gaps[False]
    if networks and median(networks) > PLAIN:
        yield TooGood((min(networks), max(networks)), (min(others), max(others)) if others else None)

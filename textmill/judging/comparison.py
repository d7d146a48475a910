"""Compares models: intervals, differences, and the choice of a champion.

All models are judged on the same documents. Independent units, which are documents or groups, are the basis of all
statements about chance. A model trained with several seeds is judged by their mean, and the spread between seeds
counts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import Field

from textmill.config import Alpha, Name, Section
from textmill.errors import ArtifactError
from textmill.judging.answers import COLUMNS, Answers, answers
from textmill.judging.champion import Candidate, ranking, ties
from textmill.judging.differences import Settings, least_of, pairs
from textmill.judging.estimates import Estimate, estimate, interval, spread, wins
from textmill.judging.intervals import half_width
from textmill.judging.metrics import METRICS
from textmill.judging.units import units_of
from textmill.records.comparison import RARE, Baseline, Comparison, Entry, Power
from textmill.records.outcome import PREDICTIONS, VALIDATION, Outcome
from textmill.records.scores import Scores

REPORTED = (*METRICS, "log_loss", "roc_auc", "calibration_error")
ENSEMBLE = "ensemble"  # the family of ensembles
Ensembles = dict[Name, Annotated[list[str], Field(min_length=2)]]  # the models whose probabilities each one averages

if TYPE_CHECKING:  # type checkers cannot read METRICS
    MetricName = str
else:
    MetricName = Literal[tuple(METRICS)]


class CompareConfig(Section):
    """How models are compared."""

    metric: MetricName = "accuracy"  # what models are compared by
    bootstrap: Annotated[int, Field(ge=100, le=1_000_000)] = 2000  # has no effect: intervals no longer use resampling
    alpha: Alpha  # of a test; an interval covers 1 - alpha
    ensembles: Ensembles = {}  # {both: [lstm, gru]}: the mean of their probabilities
    # Models to train on parts of train as well, to see what more labels would bring: 21 fits, about six times the work.
    # null: models of family linear, which take seconds.
    curves: Annotated[list[Name], Field(max_length=100)] | None = None

    def wants_curve(self, name: str, family: str) -> bool:
        """Returns whether a model is one of `curves`."""
        return family == "linear" if self.curves is None else name in self.curves


@dataclass(frozen=True)
class Evaluated:
    """What is judged of a model or ensemble. An ensemble's folder is its first member's."""

    folder: Path  # with its predictions
    family: str
    tokenizer: str
    parameters: int
    log_loss: float  # on validation, mean over seeds
    scores: Mapping[str, float | None]  # the headline scores on the test split, means over seeds
    labels: Sequence[str]
    validation: Answers
    test: Answers


def evaluated(model: Outcome) -> Evaluated:
    """Returns a model from the results of train and evaluate."""
    fit, labels = model.fit, model.scores.labels
    validation, test = answers(model.validation(COLUMNS), labels), answers(model.tests(COLUMNS), labels)
    own = model.folder, fit.family, fit.tokenizer, fit.parameters, fit.validation.log_loss, model.scores.mean
    return Evaluated(*own, labels, validation, test)


def check_aligned(models: Mapping[str, Evaluated]) -> None:
    """Raises ArtifactError unless all models scored the same documents, with the same labels, in the same order."""
    (first, one), *others = models.items()
    for name, other in others:
        again = f"run `dvc repro -f evaluate@{first} evaluate@{name}`"
        if list(other.labels) != list(one.labels):
            raise ArtifactError(f"{other.folder / Scores.FILE}: labels differ from those of {first}; {again}")
        for file, a, b in (PREDICTIONS, one.test, other.test), (VALIDATION, one.validation, other.validation):
            both = [zip(each.ids, each.actual, strict=True) for each in (a, b)]
            for row, (expected, found) in enumerate(zip_longest(*both), 1):
                if expected != found:
                    what = f"{_named(found, one.labels)}, where {first} has {_named(expected, one.labels)}"
                    raise ArtifactError(f"{other.folder / file}, row {row}: {what}; {again}")


def _named(document: tuple[str, int] | None, labels: Sequence[str]) -> str:
    return f"{document[0]} ({labels[document[1]]})" if document else "nothing"


def compare(
    config: CompareConfig,
    seed: int,
    dataset: str,
    train_labels: Mapping[str, int],
    models: Mapping[str, Evaluated],
    by: Literal["text", "group"] = "text",
) -> Comparison:
    """Returns the content of comparison.json: models (best validation first), pairs, champion and majority baseline.

    train_labels: documents of each class in the training split. models: including ensembles, recognised by their
    family; the champion is the best of the others, because it must be a single bundle. by: what the split keeps
    together. Raises ArtifactError if the models scored different documents.
    """
    check_aligned(models)
    one = next(iter(models.values()))
    labels, actual = list(one.labels), one.test.actual
    chosen = {name: model.validation for name, model in models.items()}
    tested = {name: model.test for name, model in models.items()}
    chooses, judges = (
        Settings(config.metric, len(labels), units_of(split.unit), config.alpha, seed)
        for split in (one.validation, one.test)
    )
    validation, test = _estimates(chooses, chosen), _estimates(judges, tested)
    candidates = {
        name: Candidate(round(validation[name].mean, 6), model.log_loss, model.parameters)
        for name, model in models.items()
    }
    names = ranking(candidates)
    shippable = [name for name in names if models[name].family != ENSEMBLE]
    champion, (equal, decided_by) = shippable[0], ties(candidates, shippable)
    odds = dict(zip(shippable, wins([validation[name] for name in shippable], chooses.units, seed), strict=True))

    majority = max(labels, key=lambda label: train_labels.get(label, 0))
    guesses = np.full((1, len(actual)), labels.index(majority))
    always = {name: estimate(name, actual, guesses, len(labels), judges.units) for name in METRICS}
    there = dict(zip(labels, np.bincount(actual, minlength=len(labels)).tolist(), strict=True))
    compared = pairs(judges, {name: test[name] for name in names}, tested)
    others = [name for name in names if name != champion]
    entries = [
        _entry(models[name], validation[name], test[name], always[config.metric], chooses, judges)
        | {"name": name, "members": config.ensembles.get(name, []), "wins": odds.get(name)}
        for name in names
    ]
    return Comparison(
        dataset=dataset,
        metric=config.metric,
        rows=len(actual),
        labels=labels,
        absent=[label for label, rows in there.items() if not rows],
        rare={label: rows for label, rows in there.items() if 0 < rows <= RARE},
        alpha=config.alpha,
        validation=_power(chooses, by, [least_of(chooses, validation, champion, name) for name in others]),
        test=_power(judges, by, [pair.least for pair in compared if champion in (pair.a, pair.b)]),
        champion=champion,
        champion_by=f"validation {config.metric}",
        equal=equal,
        decided_by=decided_by,
        baseline=Baseline(label=majority, **{name: round(of.mean, 6) for name, of in always.items()}),
        models=[Entry(**facts) for facts in entries],
        pairs=compared,
    )


def _entry(
    model: Evaluated,
    validation: Estimate,
    test: Estimate,
    always: Estimate,
    chooses: Settings,
    judges: Settings,
) -> dict[str, Any]:
    """Returns an entry's facts, without its name, members and odds."""
    ends = [
        None if end is None else round(end, 6)
        for by, found in ((chooses, validation), (judges, test))
        for end in interval(by.units, found, by.alpha)
    ]
    gain, seeds = spread(judges.units, test, always), len(test.by_seed)
    return {
        "family": model.family,
        "tokenizer": model.tokenizer,
        "parameters": model.parameters,
        "validation": round(validation.mean, 6),
        "score": round(test.mean, 6),
        **dict(zip(("validation_low", "validation_high", "low", "high"), ends, strict=True)),
        "seeds": seeds,
        "sd": round(float(test.by_seed.std(ddof=1)), 6) if seeds > 1 else None,
        "gain_low": gain and round(max(-1.0, test.centre - always.centre - half_width(gain, judges.alpha)), 6),
        **{key: model.scores[key] for key in REPORTED},
    }


def _estimates(by: Settings, models: Mapping[str, Answers]) -> dict[str, Estimate]:
    return {
        name: estimate(by.metric, each.actual, each.predicted, by.classes, by.units) for name, each in models.items()
    }


def _power(settings: Settings, by: Literal["text", "group"], least: Sequence[float | None]) -> Power:
    """Returns the power of a split. least: the smallest significant difference of each pair with the champion."""
    known = [each for each in least if each is not None]
    return Power(
        rows=int(settings.units.sizes.sum()),
        by="group" if by == "group" else "document",
        units=len(settings.units.sizes),
        effective=round(settings.units.effective, 1),
        least=round(median(known), 6) if known else None,
    )

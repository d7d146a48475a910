"""Ensembles: named models whose probabilities are averaged for each document."""

from collections.abc import Collection, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from textmill import tally
from textmill.config import nearest
from textmill.errors import ArtifactError, ParamsError
from textmill.judging import scoring
from textmill.judging.answers import answers
from textmill.judging.comparison import ENSEMBLE, Ensembles, Evaluated, evaluated
from textmill.records.outcome import PREDICTIONS, VALIDATION, Outcome
from textmill.records.scores import Scores


class Member(NamedTuple):
    """What an ensemble needs of a model: its folder, and its tables of `scoring.predictions` by seed."""

    folder: Path
    tokenizer: str
    parameters: int
    labels: list[str]
    test: Mapping[int, pl.DataFrame]
    validation: Mapping[int, pl.DataFrame]


def member(model: Outcome) -> Member:
    """Returns a model as a member, from the results of train and evaluate."""
    fit = model.fit
    return Member(model.folder, fit.tokenizer, fit.parameters, model.scores.labels, model.tests(), model.validation())


def check_ensembles(ensembles: Ensembles, models: Collection[str], where: str) -> None:
    """Raises ParamsError under `where` unless each ensemble has its own name, and distinct members that are models."""
    for name, members in ensembles.items():
        if name in models:
            raise ParamsError(f"{where}.{name}: a model has this name; choose another")
        for member in members:
            if member not in models:
                raise ParamsError(f"{where}.{name}: '{member}' is not a model{nearest(member, list(models))}")
        if len(set(members)) < len(members):
            raise ParamsError(f"{where}.{name}: a model occurs twice in {members}")


def with_ensembles(models: Mapping[str, Outcome], ensembles: Ensembles) -> dict[str, Evaluated]:
    """Returns all models, and the ensembles."""
    judged = {name: evaluated(model) for name, model in models.items()}
    for name, members in ensembles.items():
        judged[name] = combine({each: member(models[each]) for each in members})
    return judged


def combine(members: Mapping[str, Member]) -> Evaluated:
    """Returns the mean of the members' probabilities, in as many runs as the largest number of a member's seeds.

    A run takes one seed of each member, in ascending order; a member with fewer seeds starts again with its first.
    Raises ArtifactError if the members have different documents or labels.
    """
    first, *_ = members.values()
    for one in members.values():
        if one.labels != first.labels:
            raise ArtifactError(f"{one.folder / Scores.FILE}: labels differ from those of {next(iter(members))}")
    test = _runs({name: one.test for name, one in members.items()}, members, PREDICTIONS)
    chosen = _runs({name: one.validation for name, one in members.items()}, members, VALIDATION)
    surprise = [_log_loss(table, first.labels) for table in chosen]
    mean, _ = scoring.over_seeds({run: scoring.headline(table, first.labels) for run, table in enumerate(test, 1)})
    return Evaluated(
        first.folder,
        ENSEMBLE,
        " + ".join(dict.fromkeys(one.tokenizer for one in members.values())),
        sum(one.parameters for one in members.values()),
        round(sum(surprise) / len(surprise), 6),
        mean,
        first.labels,
        answers(dict(enumerate(chosen, 1)), first.labels),
        answers(dict(enumerate(test, 1)), first.labels),
    )


def _runs(
    tables: Mapping[str, Mapping[int, pl.DataFrame]], members: Mapping[str, Member], file: str
) -> list[pl.DataFrame]:
    """Returns the mean table of each run. tables: the members' tables by seed."""
    first, *_ = members.values()
    seeds = {name: sorted(of) for name, of in tables.items()}
    paths = {name: one.folder / file for name, one in members.items()}
    return [
        average({name: tables[name][own[run % len(own)]] for name, own in seeds.items()}, first.labels, paths)
        for run in range(max(map(len, seeds.values())))
    ]


def average(tables: Mapping[str, pl.DataFrame], labels: list[str], paths: Mapping[str, Path]) -> pl.DataFrame:
    """Returns the table of `scoring.predictions` for the mean of the members' probabilities, with rows by document id.

    Raises ArtifactError, naming the member's file from `paths`, if documents or labels differ.
    """
    tables = {name: table.sort("id") for name, table in tables.items()}
    (first, one), *others = tables.items()
    for name, other in others:
        both = (table.select("id", "label").iter_rows() for table in (one, other))
        for expected, found in zip_longest(*both, fillvalue=("nothing", "no label")):
            if expected != found:
                what = f"{found[0]} ({found[1]}), where {first} has {expected[0]} ({expected[1]})"
                again = f"run `dvc repro -f evaluate@{first} evaluate@{name}`"
                raise ArtifactError(f"{paths[name]}: {what}; {again}")
    probabilities = np.mean([scoring.probabilities_of(table, labels) for table in tables.values()], axis=0)  # (N, C)
    classes = scoring.classes_of(one, "label", labels)
    return scoring.predictions(
        one["id"], classes, labels, probabilities, one["tokens"].to_numpy(), one["unit"].to_numpy()
    )


def _log_loss(table: pl.DataFrame, labels: list[str]) -> float:
    return tally.log_loss(scoring.probabilities_of(table, labels), scoring.classes_of(table, "label", labels))

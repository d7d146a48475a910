"""Ensembles: named models whose probabilities are averaged, document by document."""

from collections.abc import Collection, Mapping
from itertools import zip_longest
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from textmill.config import nearest
from textmill.errors import ArtifactError, ParamsError
from textmill.judging import scoring
from textmill.judging.comparison import ENSEMBLE, Ensembles, Evaluated
from textmill.training.validation import validate


class Member(NamedTuple):
    """One model's results: fit.json, its labels, and by seed its tables of `scoring.predictions`."""

    fit: Mapping[str, Any]
    labels: list[str]
    test: Mapping[int, pl.DataFrame]
    validation: Mapping[int, pl.DataFrame]


def check_ensembles(ensembles: Ensembles, models: Collection[str], where: str) -> None:
    """Raises ParamsError under `where` unless each has a name of its own and different members among the models."""
    for name, members in ensembles.items():
        if name in models:
            raise ParamsError(f"{where}.{name}: a model has this name; choose another")
        for member in members:
            if member not in models:
                raise ParamsError(f"{where}.{name}: '{member}' is no model{nearest(member, list(models))}")
        if len(set(members)) < len(members):
            raise ParamsError(f"{where}.{name}: a model stands twice in {members}")


def combine(members: Mapping[str, Member]) -> Evaluated:
    """What the mean of the members' probabilities scores, of as many runs as the most-seeded member has seeds.

    A run takes one seed of each member, in ascending order; a member with fewer of them begins again with its first.
    Raises ArtifactError if the members have other documents or labels.
    """
    first, *_ = members.values()
    runs = range(max(len(member.test) for member in members.values()))

    def tables(split: str) -> list[pl.DataFrame]:
        seeds = {name: sorted(getattr(member, split)) for name, member in members.items()}
        return [
            average(
                {name: getattr(members[name], split)[own[run % len(own)]] for name, own in seeds.items()},
                first.labels,
                {"test": "predictions", "validation": "validation"}[split],
            )
            for run in runs
        ]

    for name, member in members.items():
        if member.labels != first.labels:
            raise ArtifactError(f"metrics/{name}/scores.json: labels are not those of {next(iter(members))}")
    test, chosen = tables("test"), [_validated(table, first.labels) for table in tables("validation")]
    fit = {
        "family": ENSEMBLE,
        "tokenizer": " + ".join(dict.fromkeys(member.fit["tokenizer"] for member in members.values())),
        "parameters": sum(member.fit["parameters"] for member in members.values()),
        "validation": {key: round(sum(one[key] for one in chosen) / len(chosen), 6) for key in chosen[0]},
    }
    scores = {"labels": first.labels} | scoring.over_seeds(
        {run: scoring.score(table, first.labels) for run, table in enumerate(test, 1)}
    )
    predictions = {run: table["prediction"].to_numpy() for run, table in enumerate(test, 1)}
    return Evaluated(fit, scores, test[0]["id"].to_numpy(), test[0]["label"].to_numpy(), predictions)


def average(tables: Mapping[str, pl.DataFrame], labels: list[str], file: str) -> pl.DataFrame:
    """The table of `scoring.predictions` for the mean of the members' probabilities; rows go by document id.

    Raises ArtifactError, naming the member's file, if the members have other documents or other labels for them.
    """
    tables = {name: table.sort("id") for name, table in tables.items()}
    (first, one), *others = tables.items()
    for name, other in others:
        both = (table.select("id", "label").iter_rows() for table in (one, other))
        for expected, found in zip_longest(*both, fillvalue=("nothing", "no label")):
            if expected != found:
                what = f"{found[0]} ({found[1]}), where {first} has {expected[0]} ({expected[1]})"
                again = f"run `dvc repro -f evaluate@{first} evaluate@{name}`"
                raise ArtifactError(f"metrics/{name}/{file}.parquet: {what}; {again}")
    stacked = [table.select(f"p:{label}" for label in labels).to_numpy() for table in tables.values()]
    probabilities = np.mean(stacked, axis=0)  # (N, C)
    return scoring.predictions(one["id"], _classes(one, labels), labels, probabilities, one["tokens"].to_numpy())


def _validated(table: pl.DataFrame, labels: list[str]) -> dict[str, float]:
    return validate(table.select(f"p:{label}" for label in labels).to_numpy(), _classes(table, labels))


def _classes(table: pl.DataFrame, labels: list[str]) -> np.ndarray:
    return table["label"].replace_strict(labels, list(range(len(labels))), return_dtype=pl.Int64).to_numpy()

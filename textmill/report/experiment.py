"""Everything that the page shows: what the stages found, and what params.yaml asked for."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import polars as pl

from textmill.judging.doubts import Doubt, doubts
from textmill.records.comparison import Comparison
from textmill.records.findings import Findings
from textmill.report.answers import Answers, answers
from textmill.report.ranking import Ranking, rankings


class Asked(NamedTuple):
    """What params.yaml asked for, and how to trace the results.

    models: the entries of params.yaml, by name. train: its section. licence: of the data; None if params.yaml does not
    say. results: the hash of comparison.json in dvc.lock.
    """

    models: Mapping[str, Mapping[str, Any]]
    train: Mapping[str, Any]
    licence: str | None
    results: str


@dataclass(frozen=True)
class Experiment:
    """An experiment.

    found: its models are in the order of params.yaml, which gives the colours; models of the comparison that it does
    not have are ensembles.
    """

    comparison: Comparison
    found: Findings
    doubts: Sequence[Doubt]
    answers: Answers
    asked: Asked
    rankings: Mapping[str, Ranking] = field(default_factory=dict)


def experiment(comparison: Comparison, found: Findings, texts: Iterable[pl.DataFrame], asked: Asked) -> Experiment:
    """Returns the experiment with what the models' answers add. texts: of the test split, with columns id and text."""
    return Experiment(
        comparison,
        found,
        doubts(comparison, found.models),
        answers(found.models, texts, comparison.champion),
        asked,
        rankings(found.models, comparison.labels),
    )

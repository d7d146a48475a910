"""All that the page tells: what the stages found, and what was asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from textmill.judging.doubts import Doubt
from textmill.records.comparison import Comparison
from textmill.records.data import Clean, Split, Tokenized, Vectors
from textmill.records.labels import Labels
from textmill.records.outcome import Outcome
from textmill.report.answers import Answers
from textmill.report.ranking import Ranking


class Asked(NamedTuple):
    """What was asked for, and where it is from.

    models: the entries of params.yaml, by name. train: its section. licence: of the data, None if params do not say.
    results: the hash by which dvc.lock knows comparison.json.
    """

    models: Mapping[str, Mapping[str, Any]]
    train: Mapping[str, Any]
    licence: str | None
    results: str


@dataclass(frozen=True)
class Experiment:
    """An experiment.

    models: by name, in the order of params.yaml (which gives the colours); those of the comparison that are not there
    are ensembles. encoded, vectors: by tokenizer.
    """

    comparison: Comparison
    models: Mapping[str, Outcome]
    clean: Clean
    split: Split
    encoded: Mapping[str, Tokenized]
    vectors: Mapping[str, Vectors]
    doubts: Sequence[Doubt]
    labels: Labels
    answers: Answers
    asked: Asked
    rankings: Mapping[str, Ranking] = field(default_factory=dict)  # of two classes

"""The answers of the models of params.yaml for validation and test, from `make repro`."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from textmill.confidence import at_temperature
from textmill.config import load_params
from textmill.judging.scoring import classes_of, probabilities_of
from textmill.records.outcome import Outcome

ROOT = Path(__file__).parents[1]
SPLITS = ("validation", "test")


class Answers(NamedTuple):
    """N documents: probabilities (N, C) before the model's temperature, and class numbers (N,).

    groups: the number of each document's group, int (N,); a document without a group has its own.
    """

    probabilities: np.ndarray
    labels: np.ndarray
    groups: np.ndarray

    def __getitem__(self, rows: np.ndarray) -> "Answers":
        return Answers(*(values[rows] for values in self))

    def at(self, temperature: float) -> tuple[np.ndarray, np.ndarray]:
        """Returns confidence (N,), and whether the answer is correct (N,)."""
        found = at_temperature(self.probabilities, temperature)
        return found.max(1), found.argmax(1) == self.labels


class Model(NamedTuple):
    """The shipped seed of one model."""

    temperature: float
    validation: Answers
    test: Answers

    @property
    def both(self) -> Answers:
        """The documents of both splits."""
        return Answers(*map(np.concatenate, zip(self.validation, self.test, strict=True)))


def trained(root: Path = ROOT) -> dict[str, Model]:
    """Returns the models by name. Raises ArtifactError naming the stage that did not run."""
    splits = [pl.read_parquet(root / f"data/split/{name}.parquet", columns=["id", "group"]) for name in SPLITS]
    rows = pl.concat(splits).select("id", pl.coalesce("group", "id").rank("dense").cast(pl.Int64).alias("unit"))
    return {name: _model(root / "metrics/models" / name, rows) for name in load_params(root / "params.yaml")["models"]}


def _model(folder: Path, rows: pl.DataFrame) -> Model:
    outcome = Outcome.read(folder)
    seed, labels = outcome.fit.seed, outcome.scores.labels
    (temperature,) = (one.temperature for one in outcome.scores.temperatures if one.seed == seed)

    def answers(table: pl.DataFrame) -> Answers:
        before = at_temperature(probabilities_of(table, labels), 1 / temperature)
        units = table.join(rows, on="id", how="left", maintain_order="left")["unit"]
        return Answers(before, classes_of(table, "label", labels), units.to_numpy())

    return Model(temperature, answers(outcome.validation()[seed]), answers(outcome.tests()[seed]))

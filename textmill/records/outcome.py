"""All results of train and evaluate for one model."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

from textmill.errors import ArtifactError
from textmill.parquet import read_parquet
from textmill.records.fit import Fit
from textmill.records.history import HISTORY, Epoch, read_history
from textmill.records.mistakes import Mistake, Mistakes
from textmill.records.record import maker, need
from textmill.records.scores import Scores
from textmill.records.slices import Slices
from textmill.records.terms import Term, Terms

if TYPE_CHECKING:
    import polars as pl

# Tables with a row for each document and seed: test split of the shipped seed, test split of the others, validation.
PREDICTIONS, SEEDS, VALIDATION = "predictions.parquet", "seeds.parquet", "validation.parquet"


@dataclass(frozen=True)
class Outcome:
    """The content of a model's metrics folder. Its tables are read on demand."""

    folder: Path
    fit: Fit
    scores: Scores
    slices: Slices
    mistakes: list[Mistake]
    history: list[Epoch]
    terms: Mapping[str, list[Term]] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Returns a model's results. Raises ArtifactError naming the stage that did not run or whose file is wrong."""
        for table in (PREDICTIONS, SEEDS, VALIDATION):
            need(folder / table, "evaluate")
        return cls(
            folder,
            Fit.read(folder / Fit.FILE),
            Scores.read(folder / Scores.FILE),
            Slices.read(folder / Slices.FILE),
            Mistakes.read(folder / Mistakes.FILE).root,
            read_history(folder / HISTORY),
            Terms.read(folder / Terms.FILE).root,
        )

    def tests(self, columns: list[str] | None = None) -> dict[int, "pl.DataFrame"]:
        """Returns predictions of the test split by seed. Raises ArtifactError if seeds scored different documents."""
        first = read_parquet(self.folder / PREDICTIONS, columns=columns)
        tables = {self.fit.seed: first} | self._by_seed(SEEDS, columns)
        for seed, one in tables.items():
            if not one["id"].equals(first["id"]):
                path, what = self.folder / SEEDS, f"seed {seed} has other documents than {self.fit.seed}"
                raise ArtifactError(f"{path}: {what}; run `dvc repro -f {maker(path, 'evaluate')}`")
        return tables

    def validation(self, columns: list[str] | None = None) -> dict[int, "pl.DataFrame"]:
        """Returns predictions of the validation split by seed."""
        return self._by_seed(VALIDATION, columns)

    def _by_seed(self, file: str, columns: list[str] | None) -> dict[int, "pl.DataFrame"]:
        table = read_parquet(self.folder / file, columns=columns and ["seed", *columns])
        return {part["seed"][0]: part.drop("seed") for part in table.partition_by("seed", maintain_order=True)}

"""Everything that `evaluate` writes about one model."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from textmill.files import write_csv, write_json
from textmill.parquet import write_parquet
from textmill.records.mistakes import Mistakes
from textmill.records.outcome import PREDICTIONS, SEEDS, VALIDATION
from textmill.records.scores import Scores
from textmill.records.slices import Slices
from textmill.records.terms import Terms

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Evaluation:
    """A model's predictions, and what was computed from them.

    predictions: of the test split by the shipped seed. seeds: of the test split by the other seeds. validation: of the
    validation split by all seeds. errors: the shipped seed's errors with their texts, in parts.
    """

    predictions: "pl.DataFrame"
    seeds: "pl.DataFrame"
    validation: "pl.DataFrame"
    scores: Scores
    summary: Mapping[str, float | None]
    mistakes: Mistakes
    slices: Slices
    terms: Terms
    errors: "Iterable[pl.DataFrame]"

    def write(self, folder: Path) -> None:
        """Writes all files of the model's folder of results."""
        for table, file in ((self.predictions, PREDICTIONS), (self.seeds, SEEDS), (self.validation, VALIDATION)):
            write_parquet(folder / file, table)
        for record in (self.scores, self.mistakes, self.slices, self.terms):
            record.write(folder / record.FILE)
        write_json(folder / "summary.json", self.summary)
        write_csv(folder / "errors.csv", self.errors)
        write_csv(folder / "confusion.csv", [self.predictions.select(actual="label", predicted="prediction")])

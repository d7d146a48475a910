"""The learning curve that `dvc plots` draws."""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from textmill.config import Section, validate
from textmill.errors import ArtifactError, ParamsError
from textmill.files import atomic
from textmill.records.record import maker, need

HISTORY = "history.csv"
STAGE = "train"


class Epoch(Section):
    """A row of the curve: None if a model has no such number."""

    epoch: float
    train_loss: float | None
    validation_loss: float | None
    validation_accuracy: float | None
    validation_f1: float | None
    learning_rate: float | None


EPOCHS = Annotated[list[Epoch], Field(min_length=1)]


def read_history(path: Path) -> list[Epoch]:
    """Returns a learning curve. Raises ArtifactError, naming file and stage, if it is missing or not a curve."""
    need(path, STAGE)
    try:
        with open(path, encoding="utf-8", newline="") as file:
            rows = [{key: _number(cell) for key, cell in row.items()} for row in csv.DictReader(file, restkey="more")]
        return validate(rows, EPOCHS, f"{path}: epochs")
    except (csv.Error, UnicodeDecodeError) as error:
        raise ArtifactError(f"{path}: not csv ({error}); run `dvc repro -f {maker(path, STAGE)}` to make it") from error
    except ParamsError as error:
        raise ArtifactError(f"{error}; run `dvc repro -f {maker(path, STAGE)}` to make it") from error


def _number(cell: Any) -> Any:
    """Returns a cell as a number, None if it is empty; as it is if it is neither, for an error that shows it."""
    try:
        return float(cell) if cell else None
    except (ValueError, TypeError):
        return cell


def write_history(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Writes a training's rows, rounded to six digits, without times, which differ between runs."""
    import polars as pl
    import polars.selectors as cs

    curve = pl.DataFrame(list(rows)).select(*Epoch.model_fields)
    with atomic(path) as temporary:
        curve.with_columns(cs.float().round_sig_figs(6)).write_csv(temporary)

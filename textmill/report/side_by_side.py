"""Accuracy by slice, models side by side."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from textmill.records.outcome import Outcome
from textmill.records.slices import Slice

TITLES = {"length": "By length", "negation": "By negation", "unknown": "By tokens outside the vocabulary"}


class Row(NamedTuple):
    """A slice in all models: None for a model without it.

    rows, shortest, longest: the lowest and the highest of all models.

    Models with different tokenizers may have different documents in slices of the same name.
    """

    slice: str
    cells: list[Slice | None]
    rows: tuple[int, int]
    shortest: tuple[int, int] | None  # in tokens
    longest: tuple[int, int] | None


class Table(NamedTuple):
    """One way to slice."""

    title: str
    rows: list[Row]


def side_by_side(models: Sequence[Outcome]) -> list[Table]:
    """Returns a table for each way to slice: a row for each slice with documents, a cell for each model.

    Ways with a single slice are left out. Columns of the data, which params.yaml names, come first.
    """
    own = dict.fromkeys(name for model in models for name in model.slices.columns)
    ways = [(f"By {name}", [model.slices.columns.get(name, []) for model in models]) for name in own]
    ways += [(title, [getattr(model.slices, way) for model in models]) for way, title in TITLES.items()]
    tables = []
    for title, parts in ways:
        found = [{part.slice: part for part in of if part.rows} for of in parts]
        names = dict.fromkeys(name for of in found for name in of)
        tables.append(Table(title, [_row(name, [of.get(name) for of in found]) for name in names]))
    return [table for table in tables if len(table.rows) > 1]


def _row(name: str, cells: list[Slice | None]) -> Row:
    known = [cell for cell in cells if cell]
    rows = [cell.rows for cell in known]
    shortest, longest = (_ends(getattr(cell, side) for cell in known) for side in ("shortest", "longest"))
    return Row(name, cells, (min(rows), max(rows)), shortest, longest)


def _ends(values: Iterable[int | None]) -> tuple[int, int] | None:
    known = [value for value in values if value is not None]
    return (min(known), max(known)) if known else None

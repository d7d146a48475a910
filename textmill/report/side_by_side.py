"""Accuracy by slice, models side by side."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from textmill.results.outcome import Outcome
from textmill.results.slices import Slice

TITLES = {"length": "By length", "negation": "By negation", "unknown": "By tokens outside the vocabulary"}


class Row(NamedTuple):
    """A slice of all models: None where one has no such slice. Of the rest the lowest and the highest of all models.

    Models with different tokenizers may have different documents in a slice of one name.
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
    """A table for each way to slice that tells apart, a row for each slice that has documents, a cell a model."""
    tables = []
    for way, title in TITLES.items():
        found = [{part.slice: part for part in getattr(model.slices, way) if part.rows} for model in models]
        names = dict.fromkeys(name for parts in found for name in parts)
        tables.append(Table(title, [_row(name, [parts.get(name) for parts in found]) for name in names]))
    return [table for table in tables if len(table.rows) > 1]


def _row(name: str, cells: list[Slice | None]) -> Row:
    known = [cell for cell in cells if cell]
    rows = [cell.rows for cell in known]
    shortest, longest = (_ends(getattr(cell, side) for cell in known) for side in ("shortest", "longest"))
    return Row(name, cells, (min(rows), max(rows)), shortest, longest)


def _ends(values: Iterable[int | None]) -> tuple[int, int] | None:
    known = [value for value in values if value is not None]
    return (min(known), max(known)) if known else None

"""Accuracy by group, models side by side: which cells a reader should stop at."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from textmill.results.groups import Group
from textmill.results.outcome import Outcome

TITLES = {"length": "By length", "negation": "By negation", "unknown": "By tokens outside the vocabulary"}


class Cell(NamedTuple):
    """A model's group; sign: -1 or 1 where its interval lies below or above the accuracy on all documents, else 0."""

    group: Group
    sign: int


class Row(NamedTuple):
    """A group of all models: None where one has no such group. Of the rest the lowest and the highest of all models.

    Models with different tokenizers may have different documents in a group of one name.
    """

    group: str
    cells: list[Cell | None]
    rows: tuple[int, int]
    shortest: tuple[int, int] | None  # in tokens
    longest: tuple[int, int] | None


class Table(NamedTuple):
    """One way to group."""

    title: str
    rows: list[Row]


def side_by_side(models: Sequence[Outcome]) -> list[Table]:
    """A table for each way to group that tells apart, a row for each group that has documents, a cell a model."""
    tables = []
    for way, title in TITLES.items():
        found = [{part.group: part for part in getattr(model.groups, way) if part.rows} for model in models]
        groups = dict.fromkeys(group for parts in found for group in parts)
        rows = [
            _row(group, [_cell(of.get(group), model.scores.accuracy) for of, model in zip(found, models, strict=True)])
            for group in groups
        ]
        tables.append(Table(title, rows))
    return [table for table in tables if len(table.rows) > 1]


def _cell(group: Group | None, accuracy: float) -> Cell | None:
    if group is None or group.low is None or group.high is None:
        return None
    return Cell(group, (group.low > accuracy) - (group.high < accuracy))


def _row(name: str, cells: list[Cell | None]) -> Row:
    known = [cell.group for cell in cells if cell]
    rows = [group.rows for group in known]
    shortest, longest = (_ends(getattr(group, side) for group in known) for side in ("shortest", "longest"))
    return Row(name, cells, (min(rows), max(rows)), shortest, longest)


def _ends(values: Iterable[int | None]) -> tuple[int, int] | None:
    known = [value for value in values if value is not None]
    return (min(known), max(known)) if known else None

"""Accuracy by group, models side by side: which cells a reader should stop at."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from textmill.judging.groups import unlike
from textmill.results.groups import Group
from textmill.results.outcome import Outcome

TITLES = {"length": "By length", "negation": "By negation", "unknown": "By tokens outside the vocabulary"}


class Cell(NamedTuple):
    """A model's group; sign: -1 or 1 where the model is worse or better there than on all other documents, else 0."""

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


def side_by_side(models: Sequence[Outcome], alpha: float) -> list[Table]:
    """A table for each way to group that tells apart, a row for each group that has documents, a cell a model.

    A model that is as good everywhere gets signs in a share of `alpha` of its cells at most.
    """
    tables = []
    for way, title in TITLES.items():
        found = [{part.group: part for part in getattr(model.groups, way) if part.rows} for model in models]
        groups = dict.fromkeys(group for parts in found for group in parts)
        rows = [_row(group, [_cell(parts.get(group), parts.values(), alpha) for parts in found]) for group in groups]
        tables.append(Table(title, rows))
    return [table for table in tables if len(table.rows) > 1]


def _cell(group: Group | None, whole: Iterable[Group], alpha: float) -> Cell | None:
    """whole: the groups that part all documents, of which this is one."""
    if group is None:
        return None
    rest = [other for other in whole if other.group != group.group]
    hits, rows = _hits(group), group.rows
    others, others_rows = sum(map(_hits, rest)), sum(other.rows for other in rest)
    sign = 0
    if others_rows and unlike(hits, rows, others, others_rows) < alpha:
        sign = 1 if hits * others_rows > others * rows else -1
    return Cell(group, sign)


def _hits(group: Group) -> int:
    return round((group.accuracy or 0) * group.rows)


def _row(name: str, cells: list[Cell | None]) -> Row:
    known = [cell.group for cell in cells if cell]
    rows = [group.rows for group in known]
    shortest, longest = (_ends(getattr(group, side) for group in known) for side in ("shortest", "longest"))
    return Row(name, cells, (min(rows), max(rows)), shortest, longest)


def _ends(values: Iterable[int | None]) -> tuple[int, int] | None:
    known = [value for value in values if value is not None]
    return (min(known), max(known)) if known else None

"""Accuracy by group, models side by side: which cells a reader should stop at."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

TITLES = {"length": "By length", "negation": "By negation", "unknown": "By tokens outside the vocabulary"}


def side_by_side(models: Mapping[str, Mapping[str, Any]], names: Sequence[str]) -> list[dict[str, Any]]:
    """A table for each way to group, a row for each group that has documents, a cell for each of the models `names`.

    A cell is the group of that model's `analysis` with `sign`: -1 or 1 where its interval lies below or above the
    model's accuracy on all documents, else 0; None where the model has no such group. Models with different tokenizers
    may have different documents in a group of one name: `rows`, `from` and `to` are lowest and highest of all models.
    """
    tables = []
    for way, title in TITLES.items():
        found = {
            name: {part["group"]: part for part in models[name]["analysis"][way] if part["rows"]} for name in names
        }
        groups = dict.fromkeys(group for parts in found.values() for group in parts)
        rows = [
            _row(group, [_cell(found[name].get(group), models[name]["scores"]["accuracy"]) for name in names])
            for group in groups
        ]
        tables.append({"title": title, "rows": rows})
    return [table for table in tables if len(table["rows"]) > 1]


def _cell(part: Mapping[str, Any] | None, accuracy: float) -> dict[str, Any] | None:
    return None if part is None else {**part, "sign": (part["low"] > accuracy) - (part["high"] < accuracy)}


def _row(group: str, cells: list[dict[str, Any] | None]) -> dict[str, Any]:
    known = [cell for cell in cells if cell]
    ends = {key: _ends(cell[key] for cell in known) for key in ("rows", "from", "to") if key in known[0]}
    return {"group": group, "cells": cells, **ends}


def _ends(values: Iterable[int]) -> tuple[int, int]:
    values = list(values)
    return min(values), max(values)

"""Checks that a file has the columns that params name."""

from collections.abc import Mapping
from difflib import get_close_matches

import polars as pl

from textmill.errors import DataError


class ColumnError(DataError):
    """A wanted column is missing, or there more than once."""

    def __init__(self, key: str, message: str):
        super().__init__(message)
        self.key = key  # our name for it


COLUMNS = 20  # shown at most
SHOWN = 40  # characters of a name that are shown, since it may be a text
SLICE = "slice "  # begins our name of a column that test documents are sliced by


def check_columns(found: list[str], where: str, wanted: Mapping[str, str], separator: str | None = None) -> None:
    """Raises DataError unless each wanted column ({our name: the file's name}) is there exactly once."""
    for key, name in wanted.items():
        if (count := found.count(name)) == 1:
            continue
        others = [mark for mark in ";\t,|" if mark != separator and mark in found[0]] if len(found) == 1 else []
        advice = f"is dataset.separator {others[0]!r}?" if separator and others else f"set dataset.{key.split()[0]}"
        if key.startswith(SLICE):
            near = get_close_matches(name, found, n=1, cutoff=0.3)
            advice = f"did you mean {near[0]!r} in evaluate.slices?" if near else "remove it from evaluate.slices"
        shown = ", ".join(cell if len(cell) <= SHOWN else f"{cell[:SHOWN]}..." for cell in found[:COLUMNS])
        shown += f" and {len(found) - COLUMNS:,} more" if found[COLUMNS:] else ""
        what = f"{count} columns" if count else "no column"
        raise ColumnError(key, f"{where}: {what} {name!r}; found: {shown}; {advice}")


def columns_of(ids: pl.Series, table: pl.DataFrame) -> pl.DataFrame:
    """Returns the slice columns of these documents, in the order of `ids` and with the file's names; null if missing.

    table: id and the columns that begin with SLICE, of these and other documents.
    """
    rows = pl.DataFrame({"id": ids}).join(table, on="id", how="left", maintain_order="left").drop("id")
    return rows.rename({name: name.removeprefix(SLICE) for name in rows.columns})

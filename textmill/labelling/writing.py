"""Writes labelled rows as csv or jsonl."""

import csv
import json
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import IO, Any

from textmill.errors import DataError
from textmill.labelling.answers import Answer, column_names
from textmill.labelling.reading import Row

KINDS = ("csv", "tsv", "jsonl")
Labelled = Sequence[tuple[Row, Answer]]


def write_csv(target: IO[str], batches: Iterator[Labelled], names: list[str] | None, labels: Sequence[str],
              source: Path, separator: str, end: str) -> None:  # fmt: skip
    """Writes rows with `column_names`. names: the other columns; None: those of the first batch's records.

    A cell that a record lacks is empty. Raises DataError, naming `source`, if a record has a further column, or if a
    column has one of our names.
    """
    writer = csv.writer(target, delimiter=separator, lineterminator=end)
    first: Labelled = next(batches, []) if names is None else []
    columns = list(dict.fromkeys(name for row, _ in first for name in row.names)) if names is None else names
    _check_free(columns, labels, source)
    writer.writerow([*columns, *column_names(labels)])
    for batch in chain([first], batches):
        for row, answer in batch:
            values = row.values if row.names == columns else _arranged(row, columns, source)
            writer.writerow([*map(_cell, values), *answer.words()])


def write_jsonl(target: IO[str], batches: Iterator[Labelled], labels: Sequence[str], source: Path) -> None:
    """Writes a record per row, with the keys `column_names`.

    Raises DataError if a row has one already, or a key twice.
    """
    checked: list[str] = []
    for batch in batches:
        for row, answer in batch:
            if row.names != checked:
                checked = row.names
                _check_free(checked, labels, source)
                if twice := [name for name in checked if checked.count(name) > 1]:
                    raise DataError(f"{source}: two columns are called '{twice[0]}'; rename one, or write csv")
            target.write(as_json(dict(zip(row.names, row.values, strict=True)) | answer.cells()) + "\n")


def as_json(record: Any) -> str:
    """Returns a record in one line. What JSON lacks becomes null (such as NaN) or text (such as a date)."""
    try:
        return json.dumps(record, ensure_ascii=False, allow_nan=False, default=str)
    except ValueError:
        return as_json(json.loads(json.dumps(record, default=str), parse_constant=lambda _: None))


def _check_free(names: Sequence[str], labels: Sequence[str], source: Path) -> None:
    if taken := [name for name in column_names(labels) if name in names]:
        raise DataError(f"{source}: there is already a column '{taken[0]}'; rename it")


def _arranged(row: Row, names: list[str], source: Path) -> list[Any]:
    record = dict(zip(row.names, row.values, strict=True))
    if new := [name for name in record if name not in names]:
        raise DataError(f"{source}: line {row.line}: '{new[0]}' is not in the rows before; write jsonl")
    return [record.get(name) for name in names]


def _cell(value: Any) -> Any:
    match value:
        case bool():
            return str(value).lower()
        case dict() | list():
            return as_json(value)
    return value

"""Reads the rows of a file to be labelled, unchanged and one at a time: csv, tsv, jsonl or parquet, in UTF-8."""

import csv
import io
import json
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import IO, Any, NamedTuple

from textmill.errors import ArtifactError, DataError, ParamsError
from textmill.fetch.archives import format_of, opened
from textmill.rows.delimited import SEP
from textmill.rows.records import ABSENT, as_string, leaves, value_at

KINDS = ("csv", "tsv", "jsonl", "parquet")
LONGEST = 10_000_000  # characters of a line or cell; more means that a quote was never closed
ROWS = 10_000  # of parquet, at a time
SHOWN = 40  # characters of a column's name that are shown, since it may be a text


class Row(NamedTuple):
    """A row, and the texts to be labelled."""

    line: int  # where it begins; in parquet its number, from 1
    names: list[str]  # of its cells; in csv and parquet the same list for all rows
    values: list[Any]
    texts: tuple[str, ...]  # of the columns that are joined into a text

    def size(self) -> int:
        """Returns the approximate number of characters."""
        return sum(len(value) for value in self.values if isinstance(value, str)) + sum(map(len, self.texts))


def kind_of(path: Path) -> str:
    """Returns the format that a file is named after. Raises ParamsError if it is not one of KINDS."""
    kind = format_of(path.name)
    if kind is None or kind not in KINDS:
        raise ParamsError(f"{path}: its name does not end in {', '.join(f'.{one}' for one in KINDS)}")
    return kind


class Table(NamedTuple):
    """The rows of a file, and the columns that all of them have; None if each row names its own."""

    names: list[str] | None
    rows: Iterator[Row]
    separator: str | None = None  # of csv and tsv


def read_table(path: Path, columns: Sequence[str], separator: str) -> Table:
    """Returns a file's rows, with the texts of these columns. separator: of csv.

    Raises ArtifactError if the file is missing or damaged, ParamsError if it lacks a column, and DataError, also while
    rows are read, naming a line that does not fit the format.
    """
    if not path.exists():
        raise ArtifactError(f"{path}: no such file")
    if path.is_dir():
        raise ArtifactError(f"{path}: a folder; name a file")
    content = _content(path, kind_of(path), columns, separator)
    names, mark = next(content)
    return Table(names, content, mark)


def _content(path: Path, kind: str, columns: Sequence[str], separator: str) -> Iterator[Any]:
    """Yields the names and the separator of a Table, then its rows."""
    with opened(path) as file, _utf8(path):
        if kind == "parquet":
            yield from _parquet(file, path, columns)
            return
        text = io.TextIOWrapper(file, "utf-8-sig", newline="")
        if kind == "jsonl":
            yield None, None
            yield from _jsonl(text, path, columns)
        else:
            yield from _csv(text, path, columns, "\t" if kind == "tsv" else separator)


def _csv(text: io.TextIOWrapper, path: Path, columns: Sequence[str], separator: str) -> Iterator[Any]:
    lines = _lines(text, path)
    first = next(lines, "")
    above = 0  # lines before the header
    if declared := SEP.fullmatch(first.rstrip("\r\n")):
        separator, above = declared[1], 1
    reader = csv.reader(lines if above else chain([first], lines), delimiter=separator, strict=True)
    line = above + 1
    before = csv.field_size_limit(LONGEST)  # a setting of the whole process
    try:
        if not (names := next(filter(None, reader), [])):
            raise DataError(f"{path}: no rows: the file is empty")
        places = [_place(path, names, column, separator) for column in columns]
        yield names, separator
        line = above + reader.line_num + 1
        for cells in reader:
            if len(cells) > len(names) and not "".join(cells[len(names) :]).strip():
                cells = cells[: len(names)]  # a spreadsheet's empty columns
            if cells and len(cells) != len(names):
                hint = f"; put texts with {separator!r} in quotes" if len(cells) > len(names) else ""
                raise DataError(f"{path}: line {line}: {len(cells)} cells, but the header has {len(names)}{hint}")
            if cells:
                yield Row(line, names, cells, tuple(cells[place] for place in places))
            line = above + reader.line_num + 1
    except csv.Error as error:
        raise DataError(
            f"{path}: line {line}: {error}; does it have a quote that is not closed or not doubled?"
        ) from error
    finally:
        csv.field_size_limit(before)


def _jsonl(text: io.TextIOWrapper, path: Path, columns: Sequence[str]) -> Iterator[Row]:
    seen: set[str] = set()
    first: dict[str, Any] = {}
    for line, words in enumerate(_lines(text, path), 1):
        if not words.strip():
            continue
        try:
            record = json.loads(words)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{path}: line {line}: not json ({error})") from error
        if not isinstance(record, dict):
            raise DataError(f"{path}: line {line}: expected a record such as {{...}}")
        first = first or record
        texts = tuple(_text(record, column, f"{path}: line {line}", seen) for column in columns)
        yield Row(line, list(record), list(record.values()), texts)
    for column in columns:
        if first and column not in seen:  # some records may lack it, but not all
            _place(path, leaves(first), column)


def _parquet(file: IO[bytes], path: Path, columns: Sequence[str]) -> Iterator[Any]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    line = 1
    try:
        table = pq.ParquetFile(file, pre_buffer=False)
        names = list(table.schema_arrow.names)
        for column in columns:
            _place(path, names, column)
        yield names, None
        for batch in table.iter_batches(ROWS, use_threads=False):
            for record in batch.to_pylist():
                texts = tuple(_text(record, column, f"{path}: row {line}", set()) for column in columns)
                yield Row(line, names, list(record.values()), texts)
                line += 1
    except (pa.ArrowException, OSError) as error:
        raise ArtifactError(f"{path}: not a complete parquet file ({error})") from error


def _lines(text: io.TextIOWrapper, path: Path) -> Iterator[str]:
    """Yields lines with their endings. Raises DataError for a line that cannot be text."""
    for number, line in enumerate(iter(lambda: text.readline(LONGEST + 1), ""), 1):
        if len(line) > LONGEST:
            raise DataError(f"{path}: line {number}: more than {LONGEST:,} characters")
        if "\0" in line:
            raise DataError(f"{path}: line {number}: a NUL character; save the file as UTF-8")
        yield line


def _place(path: Path, names: list[str], column: str, separator: str | None = None) -> int:
    """Returns a column's position. Raises ParamsError if it is missing or not unique."""
    if (count := names.count(column)) == 1:
        return names.index(column)
    plain = [unicodedata.normalize("NFC", name).strip() for name in names]  # training may spell it differently
    if not count and separator and plain.count(same := unicodedata.normalize("NFC", column).strip()) == 1:
        return plain.index(same)
    found = ", ".join(name[:SHOWN] for name in names) or "none"
    if count:
        raise ParamsError(
            f"{path}: several columns '{column}' among {', '.join(name[:SHOWN] for name in names)}; rename one"
        )
    other = next((mark for mark in ";\t,|" if len(names) == 1 and mark in names[0]), None)
    header = ", or add a first row of names if the file has none" if separator else ""
    advice = f"is --separator {other!r}?" if separator and other else "name yours with --column" + header
    raise ParamsError(f"{path}: no column '{column}' among {found}; {advice}")


def _text(record: dict[str, Any], column: str, where: str, seen: set[str]) -> str:
    """Returns a record's text as training reads it; a missing one is empty. Adds the column to `seen` if it exists."""
    value = value_at(record, column)
    if value is ABSENT:
        return ""
    seen.add(column)
    text = as_string(value, label=False)
    if text is ABSENT:
        raise DataError(f"{where}: '{column}': expected a text, found a {type(value).__name__}")
    return text or ""


@contextmanager
def _utf8(path: Path) -> Iterator[None]:
    try:
        yield
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 ({error.reason} near byte {error.start}); save it as UTF-8") from error

"""Rows of text files: csv, tsv, json, jsonl and txt, as strings, with errors that name the row."""

import codecs
import csv
import io
import json
from collections.abc import Iterator, Mapping
from operator import itemgetter
from typing import IO, Any

from textmill.errors import DataError
from textmill.files import LONE_SURROGATES
from textmill.sources.dataset import FileDataset

Rows = Iterator[tuple[Any, ...]]  # the row's number, then the wanted columns: str, or None


def read_rows(file: IO[bytes], kind: str, dataset: FileDataset, where: str, wanted: Mapping[str, str],
              max_chars: int) -> Rows:  # fmt: skip
    """The wanted columns ({our name: the file's name}) of each row. Nothing is guessed: "007" and "NA" are texts.

    Raises DataError if the file is not `kind`, lacks a column, or has a line of more than `max_chars` characters.
    """
    text = io.TextIOWrapper(file, _encoding(file, dataset.encodings, where), newline="")
    lines = _lines(text, where, max_chars)
    match kind:
        case "json":
            yield from _fields(_json_list(text, where), where, wanted)
        case "jsonl":
            yield from _fields(_json_lines(lines, where), where, wanted)
        case "txt":
            check_columns([wanted["text"]], where, wanted)
            yield from ((row, line.rstrip("\r\n")) for row, line in enumerate(lines, 1))
        case "csv" | "tsv":
            before = csv.field_size_limit(max_chars)  # of the whole process
            try:
                yield from _csv(lines, where, wanted, "\t" if kind == "tsv" else dataset.separator)
            finally:
                csv.field_size_limit(before)


def check_columns(found: list[str], where: str, wanted: Mapping[str, str], separator: str | None = None) -> None:
    """Raise DataError unless each wanted column is there once."""
    for key, name in wanted.items():
        if (count := found.count(name)) == 1:
            continue
        others = [mark for mark in ";\t,|" if mark != separator and mark in found[0]] if len(found) == 1 else []
        advice = f"is dataset.separator {others[0]!r}?" if separator and others else f"set dataset.{key}"
        raise DataError(
            f"{where}: {f'{count} columns' if count else 'no column'} {name!r}; found: {', '.join(found)}; {advice}"
        )


def _encoding(file: IO[bytes], encodings: list[str], where: str) -> str:
    """The first encoding that decodes the whole file, which is left at its start."""
    problem = ""
    for encoding in encodings:
        decoder, position, waiting = codecs.getincrementaldecoder(encoding)(), 0, 0
        file.seek(0)
        try:
            while data := file.read(1 << 20):
                decoder.decode(data)
                position, waiting = position + len(data), len(decoder.getstate()[0])
            decoder.decode(b"", final=True)
        except UnicodeError as error:
            byte = position - waiting + getattr(error, "start", 0)
            problem = problem or f"byte {byte} is not {encoding}"
        else:
            file.seek(0)
            return "utf-8-sig" if encoding == "utf-8" else encoding
    raise DataError(f"{where}: {problem}; name the file's encoding in dataset.encodings")


def _lines(text: io.TextIOWrapper, where: str, limit: int) -> Iterator[str]:
    for row, line in enumerate(iter(lambda: text.readline(limit + 2), ""), 1):
        if len(line) > limit and len(line.rstrip("\r\n")) > limit:
            raise DataError(f"{where}, row {row}: a line of more than clean.max_chars ({limit:,}) characters")
        if "\0" in line:
            raise DataError(f"{where}, row {row}: a NUL character; if this is UTF-16, name it in dataset.encodings")
        yield line


def _csv(lines: Iterator[str], where: str, wanted: Mapping[str, str], separator: str) -> Rows:
    reader = csv.reader(lines, delimiter=separator, strict=True)
    row = 1
    try:
        header = next(reader, [])
        if header:
            check_columns(header, where, wanted, separator)
            pick = itemgetter(0, *(header.index(name) for name in wanted.values()))  # the 0 makes it a tuple always
        row = reader.line_num + 1
        for record in reader:
            if len(record) == len(header):
                yield (row, *pick(record)[1:])
            elif record:  # an empty line is no row
                raise DataError(f"{where}, row {row}: {len(record)} fields, but the header has {len(header)}; "
                                f"a text with {separator!r} in it needs quotes")  # fmt: skip
            row = reader.line_num + 1
    except csv.Error as error:
        raise DataError(f"{where}, row {row}: {error}; is a quote in it never closed, or not doubled?") from error


def _json_list(text: io.TextIOWrapper, where: str) -> Iterator[tuple[int, Any]]:
    try:
        records = json.load(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where}: not json: {error}") from error
    if not isinstance(records, list):
        raise DataError(f"{where}: expected a list of records, found a {type(records).__name__}")
    yield from enumerate(records, 1)


def _json_lines(lines: Iterator[str], where: str) -> Iterator[tuple[int, Any]]:
    for row, line in enumerate(lines, 1):
        if line.strip():
            try:
                yield row, json.loads(line)
            except (ValueError, RecursionError) as error:
                raise DataError(f"{where}, row {row}: not json: {error}") from error


def _fields(records: Iterator[tuple[int, Any]], where: str, wanted: Mapping[str, str]) -> Rows:
    """A key may be absent from a record (null), but not from all of them."""
    found: dict[str, None] = {}
    for row, record in records:
        if not isinstance(record, dict):
            raise DataError(f"{where}, row {row}: expected a record such as {{...}}, found a {type(record).__name__}")
        found |= dict.fromkeys(record)
        yield (row, *(_string(record.get(name), f"{where}, row {row}, {name!r}") for name in wanted.values()))
    if found:
        check_columns(list(found), where, wanted)


def _string(value: Any, where: str) -> str | None:
    match value:
        case str():
            return LONE_SURROGATES.sub("\ufffd", value)
        case bool() | int():
            return str(value).lower()
        case float():
            return None if value != value else str(int(value) if value.is_integer() else value)
        case None:
            return None
    raise DataError(f"{where}: expected a text, found a {type(value).__name__}")

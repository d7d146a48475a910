"""Reads rows of text files as strings: csv, tsv, json, jsonl, txt and fasttext."""

import csv
import json
import re
from collections.abc import Iterator, Mapping
from typing import IO, Any, Literal, NamedTuple

from textmill.errors import ParamsError
from textmill.rows.columns import ColumnError, check_columns
from textmill.rows.delimited import SEP, read_cells
from textmill.rows.lines import Lines, choose_encoding, decoded, first_line
from textmill.rows.records import json_lines, json_list, read_fields
from textmill.sources.dataset import FileDataset

Rows = Iterator[tuple[Any, ...]]  # the row's number, what is wrong with it (or None), and the wanted columns (or None)

LABEL = re.compile(r"(?<!\S)__label__(\S+)\s?")  # fastText's labels: words that usually come before the text


class Read(NamedTuple):
    """Rows, and how they were read: 'cp1252 (byte 39 is not utf-8)'."""

    how: str
    rows: Rows


def read_rows(file: IO[bytes], kind: str, dataset: FileDataset, where: str, wanted: Mapping[str, str],
              max_chars: int) -> Read:  # fmt: skip
    """Returns the wanted columns ({our name: the file's name}) of each row, as strings: "007" and "NA" are texts.

    Raises DataError if the file is not of this kind, lacks a column, or has an error beyond a single row.
    """
    encoding, problem = choose_encoding(file, dataset.encodings, where)
    how = f"{encoding} ({problem})" if problem else encoding
    if dataset.header is not None and kind not in ("csv", "tsv"):
        raise ParamsError(f"dataset.header: only for csv and tsv, but {where} is {kind}; set it to null")
    match kind:
        case "json":
            return Read(how, read_fields(json_list(decoded(file, encoding), where), where, wanted))
        case "jsonl":
            return Read(how, read_fields(json_lines(Lines(decoded(file, encoding), max_chars, where)), where, wanted))
        case "fasttext":
            check_columns([name for key, name in wanted.items() if key in ("text", "label")], where, wanted)
            return Read(how, _fasttext(Lines(decoded(file, encoding), max_chars, where), list(wanted)))
        case "txt":
            _check_txt(where, wanted)
            return Read(how, _texts(Lines(decoded(file, encoding), max_chars, where)))
    separator = "\t" if kind == "tsv" else dataset.separator
    if declared := SEP.fullmatch(first_line(file, encoding)):
        separator, how = declared[1], f"{how}, separated by {declared[1]!r} as its first line says"
    quoting: Literal[0, 3] = csv.QUOTE_NONE if dataset.quotes == "none" else csv.QUOTE_MINIMAL
    lines = Lines(decoded(file, encoding), max_chars, where, quoted=quoting == csv.QUOTE_MINIMAL)
    if declared:
        next(lines)
    return Read(how, _limited(read_cells(lines, where, wanted, separator, dataset.header, quoting), max_chars))


def _check_txt(where: str, wanted: Mapping[str, str]) -> None:
    try:
        check_columns([wanted["text"]], where, wanted)
    except ColumnError as error:
        raise ColumnError(error.key, f"{error}, or, if its lines have columns, dataset.format: tsv or csv") from error


def _limited(rows: Rows, max_chars: int) -> Rows:
    """Yields rows while csv accepts cells as long as a text."""
    before = csv.field_size_limit(max_chars)  # a setting of the whole process
    try:
        yield from rows
    finally:
        csv.field_size_limit(before)


def _texts(lines: Lines) -> Rows:
    for line in lines:
        yield lines.number, lines.bad, None if lines.bad else line.rstrip("\r\n")
        lines.begin()


def _fasttext(lines: Lines, names: list[str]) -> Rows:
    """Yields rows of fastText lines. Several labels become a JSON list."""
    for line in lines:
        labels = [label.rstrip(",") for label in LABEL.findall(line)]
        values = {"text": LABEL.sub("", line).rstrip("\r\n")}
        values["label"] = json.dumps(labels, ensure_ascii=False) if labels[1:] else "".join(labels)
        yield lines.number, lines.bad, *(None if lines.bad else values[name] for name in names)
        lines.begin()

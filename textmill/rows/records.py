"""Reads rows of json and jsonl."""

import io
import json
from collections.abc import Iterator, Mapping
from typing import Any

from textmill.errors import DataError
from textmill.files import LONE_SURROGATES
from textmill.rows.bad import NESTED, NO_RECORD, NOT_JSON
from textmill.rows.columns import SLICE, check_columns
from textmill.rows.lines import Lines

Records = Iterator[tuple[int, str | None, Any]]  # the row's number, what is wrong with it (or None), and the record
ABSENT = object()


def json_list(text: io.TextIOWrapper, where: str) -> Records:
    """Yields the records of a list, which is held as a whole. Raises DataError if the file is not a list."""
    try:
        records = json.load(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{where}: not json: {error}") from error
    if not isinstance(records, list):
        raise DataError(f"{where}: expected a list of records, found a {type(records).__name__}")
    yield from ((row, None, record) for row, record in enumerate(records, 1))


def json_lines(lines: Lines) -> Records:
    """Yields the record of each line that is not empty."""
    for line in lines:
        if lines.bad or line.strip():
            record, bad = None, lines.bad
            try:
                record = None if bad else json.loads(line)
            except (ValueError, RecursionError):
                bad = NOT_JSON
            yield lines.number, bad, record
        lines.begin()


def read_fields(records: Records, where: str, wanted: Mapping[str, str]) -> Iterator[tuple[Any, ...]]:
    """Yields each row's number, what is wrong with it (or None), and the wanted values as strings.

    A key may be missing from some records (null), but not from all of them.
    """
    seen: set[str] = set()
    first: dict[str, Any] = {}
    nothing = (None,) * len(wanted)
    for row, bad, record in records:
        if bad or not isinstance(record, dict):
            yield (row, bad or NO_RECORD, *nothing)
            continue
        first = first or record
        found = {key: value_at(record, name) for key, name in wanted.items()}
        seen.update(key for key, value in found.items() if value is not ABSENT)
        values = [as_string(None if value is ABSENT else value, key == "label") for key, value in found.items()]
        for number, key in enumerate(found):
            if key.startswith(SLICE) and values[number] is ABSENT:  # a bad slice value does not make the row bad
                values[number] = None
        yield (row, None, *values) if ABSENT not in values else (row, NESTED, *nothing)
    if first:
        there = list(dict.fromkeys(name for key, name in wanted.items() if key in seen))
        check_columns([*there, *(name for name in leaves(first) if name not in there)], where, wanted)


def value_at(record: Any, name: str) -> Any:
    """Returns the value of `name` in a record: a key, or keys and list indices joined by dots; else ABSENT."""
    if name in record:
        return record[name]
    for part in name.split("."):
        if isinstance(record, dict):
            record = record.get(part, ABSENT)
        elif isinstance(record, list):
            record = record[int(part)] if part.isdecimal() and int(part) < len(record) else ABSENT
        else:
            return ABSENT
    return record


def leaves(record: Any) -> list[str]:
    """Returns the dotted names of all values in a record, at any depth."""
    found: list[str] = []
    waiting = [("", record)]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, dict | list):
            pairs = list(value.items() if isinstance(value, dict) else enumerate(value))
            waiting += [(f"{name}.{key}" if name else str(key), child) for key, child in reversed(pairs)]
        else:
            found.append(name)
    return found


def as_string(value: Any, label: bool) -> Any:
    """Returns a value as text, None if it is null, ABSENT if it is not text. A label may be a list of one."""
    match value:
        case str():
            return LONE_SURROGATES.sub("\ufffd", value)
        case bool() | int():
            return str(value).lower()
        case float():
            return None if value != value else str(int(value) if value.is_integer() else value)
        case None:
            return None
        case [] if label:
            return None
        case [one] if label:
            return as_string(one, label)
        case [*several] if label:
            return json.dumps(several, ensure_ascii=False)
    return ABSENT

"""The keys of `dataset` that name a file's columns, and the proposal made from them."""

import re
import unicodedata
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from textmill.errors import DataError
from textmill.fetch.archives import UNPACK, format_of, is_archive
from textmill.look.columns import Column, Role, group_of, id_of, label_of, split_of, text_of
from textmill.look.proposal import Given, Proposal, listed
from textmill.look.rows import Looked

BY_COLUMN = ("text", "label", "group", "split", "id")  # in the order of params


class Found(NamedTuple):
    """Keys of `dataset`, with the reason and the other candidates for each."""

    keys: dict[str, Any]
    reasons: dict[str, str]
    others: dict[str, list[str]]


def roles(looked: Looked, given: Given, where: str, alone: bool = True) -> Found:
    """Returns the keys that name columns and those that say how to read the file.

    alone: whether this file has all rows of the data, so that a column may name splits or hold ids. Raises ParamsError
    if a column that the user gave is missing, and DataError if no column could be the text or the class.
    """
    columns = [column for column in looked.columns if column.name]
    names, rows = [column.name for column in columns], max((len(column.cells) for column in columns), default=0)
    given = given.found_in(names, where)
    free = {column.name: column for column in columns}
    for column in (given.label, given.group, given.split, given.id):
        free.pop(column or "", None)
    chosen: dict[str, Role] = {}

    def choose(key: str, given: str | list[str] | None, find: Callable[[list[Column]], Role]) -> list[str]:
        role = chosen[key] = Role(given, "as you said", []) if given else find(list(free.values()))
        used = _list(role.value)
        for name in used:
            free.pop(name, None)
            if names.count(name) > 1:
                raise DataError(f"{where}: {names.count(name)} columns are called {name!r}; rename one")
        return used

    choose("split", given.split, split_of if alone else _nothing)
    texts = given.text if len(given.text) > 1 else next(iter(given.text), None)
    if not choose("text", texts, lambda some: _text_beside(some, rows, given)):
        raise DataError(f"{where}: no column could be a text; found: {listed(names)}")
    label = choose("label", given.label, lambda some: label_of(some, rows))
    if not label:
        few = "a few recurring values"
        raise DataError(f"{where}: no column could be a class ({few}); name one with --label; found: {listed(names)}")
    classes = next(column for column in columns if column.name == label[0])
    choose("id", given.id, lambda some: id_of(some, looked.whole and alone))
    choose("group", given.group, lambda some: group_of(some, classes))
    keys = {key: chosen[key].value for key in BY_COLUMN if chosen[key].value}
    others = {key: role.others for key, role in chosen.items() if role.others and key not in ("split", "id")}
    found = Found(looked.keys | keys, looked.why | {key: chosen[key].reason for key in keys}, others)
    return _named(looked, found) if "header" in looked.keys and not given.header else found


def proposed(name: str, keys: dict[str, Any], found: Found, looked: Looked, files: dict[Path, str], notes: list[str],
             packed: str | None = None) -> Proposal:  # fmt: skip
    """Returns the proposal for files. keys: what is known besides the columns; name: a name for the data set."""
    plain = "".join(one for one in unicodedata.normalize("NFKD", name) if not unicodedata.combining(one))
    slug = re.sub(r"[^A-Za-z0-9_-]+", "-", plain).strip("-_")
    dataset = {"name": slug or "texts", "source": "path", **keys, **found.keys}
    bits = [column.name for column in looked.columns if set(column.counts) == {"0", "1"}]
    if len(bits) > 2:
        several = "several labels per text are not supported yet; only one of them is used"
        notes = [*notes, f"{listed(bits)} are 0 or 1: {several}"]
    reasons = {key: found.reasons[key] for key in dataset if found.reasons.get(key)}
    return Proposal(dataset, reasons, [column.name for column in looked.columns], found.others, notes, files, packed)


def stem(name: str) -> str:
    """Returns a file's name without suffixes that name a format."""
    path = PurePosixPath(name)
    while path.suffix and (format_of(path.name) or path.suffix.lower() in UNPACK or is_archive(path.name)):
        path = path.with_suffix("")
    return str(path)


def _list(value: str | list[str] | None) -> list[str]:
    return value if isinstance(value, list) else [value] if value else []


def _nothing(columns: list[Column]) -> Role:
    return Role(None, "", [])


def _text_beside(columns: list[Column], rows: int, given: Given) -> Role:
    """Returns the text's role, leaving a column for the class."""
    role = text_of(columns)
    if given.label is None and len(columns) > 1 and isinstance(role.value, list):
        left = [column for column in columns if column.name not in role.value]
        if label_of(left, rows).value is None:
            return Role(role.others[0], "the longest texts", role.others[1:])
    return role


def _named(looked: Looked, found: Found) -> Found:
    """Names the columns of a file without a header by their use."""
    renamed = {column.name: column.name for column in looked.columns}
    keys, read = {key: found.keys[key] for key in BY_COLUMN if key in found.keys}, dict(found.keys)
    for key, value in keys.items():
        used = _list(value)
        names = {1: [key], 2: ["title", "text"]}.get(len(used)) or [f"text {n}" for n in range(1, len(used) + 1)]
        renamed |= dict(zip(used, names, strict=True))
        read[key] = [renamed[name] for name in value] if isinstance(value, list) else renamed[value]
    looked.columns[:] = [Column(renamed[column.name], column.cells) for column in looked.columns]
    others = {key: [renamed[name] for name in names] for key, names in found.others.items()}
    return Found(read | {"header": list(renamed.values())}, found.reasons, others)

"""Decides whether a table's first row names its columns."""

from collections import Counter

from textmill.look.columns import NUMBER
from textmill.look.names import GRADE, GROUP, ID, LABEL, TEXT, TITLE, name_fit
from textmill.sources.naming import split_named

LOOKED_AT = 2000  # rows


def is_header(rows: list[list[str]]) -> bool:
    """Returns whether the first row differs from the rows below as names do. Every column votes."""
    first, below = rows[0], [row for row in rows[1:LOOKED_AT] if len(row) == len(rows[0])]
    if not below:  # one row, or no other row of its length
        return any(_known(name) for name in first)
    return sum(_says(name, [row[place] for row in below]) for place, name in enumerate(first)) >= 0


def _says(name: str, column: list[str]) -> int:
    """Returns a vote: above 0 if `name` names the column, below 0 if it is one of its cells."""
    cells = [cell.strip() for cell in column if cell.strip()]
    name = name.strip()
    if not cells or not name:
        return 1 if not name else 0  # an index has no name; a text is seldom empty
    vote = 2 if _known(name) else 0
    sizes = sorted(len(cell) for cell in cells)
    if sizes[len(sizes) // 20] > 2 * len(name) and sizes[len(sizes) // 2] > 15:
        vote += 3  # names are shorter than texts
    elif len(name) > 40 or name.count(" ") > 5:
        vote -= 3
    numbers = sum(bool(NUMBER.fullmatch(cell)) for cell in cells)
    if NUMBER.fullmatch(name):
        vote -= 3
    elif numbers > 0.9 * len(cells):
        vote += 2
    counts = Counter(cells)
    if counts[name] > 1 and len(counts) <= len(cells) / 2:
        vote -= 3  # it is one of a few values
    return vote


def _known(name: str) -> bool:
    kinds = (TEXT, TITLE, LABEL, GRADE, GROUP, ID)
    return split_named(name) is None and len(name) < 40 and any(name_fit(kind, name) >= 0.9 for kind in kinds)

"""How to read a table of cells: its separator, its quotes, and whether its first row names the columns."""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, NamedTuple

from textmill.look.header import is_header
from textmill.look.proposal import Given
from textmill.rows.delimited import SEP

SEPARATORS = "\t;|,"  # the comma comes last, because texts have many
MOST = 20_000  # rows that are looked at
CELLS = 400_000  # cells of these, at most
RECTANGLE = 0.98  # share of the rows that have the most common number of cells
CELL = 2**31 - 1  # characters that a cell may have here


class Table(NamedTuple):
    """Rows of cells, and how they were read."""

    separator: str
    quotes: str  # a value of dataset.quotes
    header: list[str] | None  # the first row, if it names the columns
    rows: list[list[str]]  # all as long as the header or the first row
    odd: int  # rows at the file's start that have another length or cannot be read
    total: int  # rows at the file's start
    why: dict[str, str]  # the reason, by key of `dataset`


class Parsed(NamedTuple):
    """The rows that one separator and one kind of quotes give."""

    rows: list[list[str]]
    errors: int  # rows that break csv's rules
    head: tuple[int, int]  # rows and errors at the file's start
    width: int  # cells of most rows
    fit: float  # share of the rows with this width

    @property
    def straight(self) -> bool:
        """Whether the first row is as long as most, and most have the same length."""
        return self.width > 1 and self.fit >= 0.9 and len(self.rows[0]) == self.width

    @property
    def holds_lines(self) -> bool:
        return any("\n" in cell for row in self.rows for cell in row)

    @property
    def wrapped(self) -> float:
        """Share of the cells that have a quote at both ends."""
        cells = [cell for row in self.rows for cell in row if cell]
        return sum(len(cell) > 1 and cell[0] == cell[-1] == '"' for cell in cells) / max(len(cells), 1)


def find_table(blocks: list[str], given: Given) -> Table | None:
    """Returns the table in a file's blocks of whole lines; the first begins the file. None if there are no rows."""
    why: dict[str, str] = {}
    separator = given.separator
    first, *_ = blocks[0].splitlines() or [""]
    if declared := SEP.fullmatch(first):
        separator, blocks = declared[1], [blocks[0].partition("\n")[2], *blocks[1:]]
        why["separator"] = "the first line says so"
    cuts = {mark: (_cut(blocks, mark, True), _cut(blocks, mark, False)) for mark in separator or SEPARATORS}
    if not any(cut.rows for pair in cuts.values() for cut in pair):
        return None
    mark = max(cuts, key=lambda mark: _rank(*cuts[mark]))
    mark = mark if separator or max(cut.width for cut in cuts[mark]) > 1 else ","  # one column: nothing separates it
    double, none = cuts[mark]
    if not separator:
        best = max(double, none, key=lambda cut: cut.fit)
        why["separator"] = f"so {100 * best.fit:.0f} % of the rows have {best.width} cells"
    quotes = given.quotes or ("none" if _bare(double, none) else "double")
    cut = none if quotes == "none" or not double.rows else double
    if quotes == "none" and not given.quotes:
        why["quotes"] = "quotes in texts are not paired: as ordinary characters, all rows have equal length"
    rows = _evened(cut.rows)
    header = None if given.header or not is_header(rows) else rows[0]
    if not header and not given.header:
        why["header"] = "the first row looks like the others"
    body, width = rows if header is None else rows[1:], len(rows[0])
    shown = [row for row in body if len(row) == width] or [row[:width] for row in body if len(row) >= width]
    at_start = rows[: cut.head[0]]
    odd = sum(len(row) != width for row in at_start) + cut.head[1]
    total = len(at_start) + cut.head[1] - (header is not None)
    every = max(1, len(shown) // MOST, len(shown) * width // CELLS)
    return Table(mark, quotes, header, shown[::every], odd, total, why)


def _cut(blocks: list[str], separator: str, quoted: bool) -> Parsed:
    rows: list[list[str]] = []
    errors, head = 0, (0, 0)
    with _long_cells():
        for block in blocks:
            quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
            reader = csv.reader(io.StringIO(block, newline=""), delimiter=separator, strict=True, quoting=quoting)
            for row in _resumed(reader):
                if row is None:
                    errors += 1
                elif row:
                    rows.append(row)
            if block is blocks[0]:  # a later block may begin, and any may end, inside quotes
                head = (max(len(rows) - 1, 1), max(errors - 1, 0)) if blocks[1:] else (len(rows), errors)
    (width, count), *_ = Counter(map(len, _evened(rows))).most_common(1) or [(0, 0)]
    return Parsed(rows, errors, head, width, count / max(len(rows) + errors, 1))


def _resumed(reader: "Iterator[list[str]]") -> Iterator[list[str] | None]:
    """Yields the rows, and None for each that breaks csv's rules."""
    while True:
        try:
            yield next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield None


@contextmanager
def _long_cells() -> Iterator[None]:
    before = csv.field_size_limit(CELL)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _evened(rows: list[list[str]]) -> list[list[str]]:
    """Returns the rows without empty cells beyond the first row's end."""
    width = len(rows[0]) if rows else 0
    return [row[:width] if len(row) > width and not "".join(row[width:]).strip() else row for row in rows]


def _rank(double: Parsed, none: Parsed) -> tuple[bool, int]:
    """Returns how likely a separator is; ties go to the first of SEPARATORS."""
    best = max(double, none, key=lambda cut: (cut.straight, cut.fit))
    return best.straight, round(best.fit * 20) if best.width > 1 else -1


def _bare(double: Parsed, none: Parsed) -> bool:
    """Returns whether quotes are ordinary characters: read as quotes, they break a table that is even without them."""
    swallows = double.errors > 0 or double.fit < none.fit or double.holds_lines
    return swallows and none.straight and none.fit >= RECTANGLE and none.wrapped < 0.5 and none.fit > double.fit - 0.001

"""Reads rows of csv and tsv."""

import csv
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from operator import itemgetter
from typing import Any, Literal

from textmill.errors import DataError
from textmill.rows.bad import AGAIN, FEWER, MORE, QUOTE, advice
from textmill.rows.columns import check_columns
from textmill.rows.lines import Lines

SEP = re.compile(r'"?sep=([^"\r\n])"?[\s,;|]*', re.IGNORECASE)  # Excel's first line, which names the separator
LOOKED_AT = 200  # rows below the first, to see whether it is a header


def read_cells(lines: Lines, where: str, wanted: Mapping[str, str], separator: str, header: list[str] | None,
               quoting: Literal[0, 3]) -> Iterator[tuple[Any, ...]]:  # fmt: skip
    """Yields each row's number, what is wrong with it (or None), and its wanted cells.

    header: the columns, or None if the first row names them. quoting: csv.QUOTE_MINIMAL or csv.QUOTE_NONE. Raises
    DataError if a wanted column is missing, or if a stray quote joins lines.
    """
    reader, nothing = csv.reader(lines, delimiter=separator, strict=True, quoting=quoting), (None,) * len(wanted)
    records = _records(reader, lines, where)
    if header is None:
        first, bad, header = next(((row, bad, cells) for row, bad, cells in records if cells or bad), (1, None, []))
        if bad:
            raise DataError(f"{where}, row {first}: {bad}; {advice(bad)}")
        if header:
            _check_header(header, records, where, wanted, separator)
    else:
        check_columns(header, where, wanted)
    least = max((place for place, name in enumerate(header, 1) if name.strip()), default=0)  # the rest has no name
    pick = itemgetter(0, *(header.index(name) for name in wanted.values() if header))
    for row, bad, cells in records:
        if bad or cells == header:  # concatenated files have several headers
            yield (row, bad or AGAIN, *nothing)
        elif least <= len(cells) and _empty(cells[len(header) :]):
            yield (row, None, *pick(cells)[1:])  # the 0 keeps it a tuple
        elif not _empty(cells):  # an empty line is not a row
            yield (row, MORE if len(cells) > len(header) else FEWER, *nothing)


def _empty(cells: list[str]) -> bool:
    return not "".join(cells).strip()


def _records(reader: Any, lines: Lines, where: str) -> Iterator[tuple[int, str | None, list[str]]]:
    while True:
        lines.begin()
        row = lines.number + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if lines.taken > 1:
                raise DataError(
                    f"{where}, row {row}: a quote opens here and runs over {lines.taken:,} lines ({error}); close it, "
                    "or set dataset.quotes: none if quotes are ordinary characters"
                ) from error
            yield row, lines.bad or QUOTE, []
        else:
            yield row, lines.bad, cells


def _check_header(header: list[str], records: Iterator[tuple[int, str | None, list[str]]], where: str,
                  wanted: Mapping[str, str], separator: str) -> None:  # fmt: skip
    try:
        check_columns(header, where, wanted, separator)
    except DataError as error:
        below = [cells for _, _, cells in islice(records, LOOKED_AT)]
        columns = zip(*(cells for cells in below if len(cells) == len(header)), strict=False)
        if any(name.strip() and name in column for name, column in zip(header, columns, strict=False)):
            raise DataError(
                f"{error}; or, if the first row is not a header (its cells recur below), name its {len(header)} "
                "columns in dataset.header"
            ) from error
        raise

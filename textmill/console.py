"""What people see while a stage works: bars in a terminal, plain lines in a log."""

import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from shutil import get_terminal_size
from textwrap import fill
from typing import TypeVar

T = TypeVar("T")

MANY, LIKELIEST = 12, 5  # up to this many classes, all are shown; of more, the likeliest
NAME = 100  # characters shown of a name that comes from the data
NARROW = 24  # characters that the first column of a table keeps in any terminal

# C0 and C1 controls but the tab, all marks that turn the direction of text, and the separators of lines and paragraphs
# that some terminals obey: a review must not drive the reader's terminal.
UNPRINTABLE = dict.fromkeys(
    [*range(9), *range(10, 32), *range(127, 160), 0x61C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A)]
)


def say(line: str) -> None:
    """Prints a line at once, without control characters. A terminal gets lines that break between words."""
    line = line.translate(UNPRINTABLE)
    if sys.stdout.isatty() and len(line) > (width := get_terminal_size().columns):
        line = fill(line, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
    print(line, flush=True)


def few(names: Sequence[str], most: int = 3) -> str:
    """Returns the first names in quotes, and the number of others: 'a', 'b', 'c' and 12 others."""
    return first([repr(name) for name in names], most)


def first(names: Sequence[str], most: int = 3) -> str:
    """Returns the first names, and the number of others: a, b, c and 12 others."""
    more = len(names) - most
    shown = ", ".join(shortened(name, NAME) for name in names[:most])
    return shown + (f" and {more:,} other{'s' if more > 1 else ''}" if more > 0 else "")


def shortened(text: str, most: int = 24) -> str:
    """Returns a text of at most `most` characters: a longer one ends in an ellipsis."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def counted(count: int, one: str, several: str) -> str:
    """Returns a number with its noun: '1 text looks', '2,000 texts look'."""
    return f"{count:,} {one if count == 1 else several}"


def shares(of: Mapping[str, float]) -> str:
    """Returns classes with their probabilities; of many, the likeliest."""
    shown = list(of.items())
    if len(shown) > MANY:
        shown = sorted(shown, key=lambda one: -one[1])[:LIKELIEST]
    more = f"  and {len(of) - len(shown):,} others" if len(shown) < len(of) else ""
    return "  ".join(f"{label} {share:.4f}" for label, share in shown) + more


def progress(items: Iterable[T], label: str, total: int) -> Iterator[T]:
    """Yields the items; shows a bar in a terminal, and prints a line at most every 30 s elsewhere."""
    if sys.stdout.isatty():
        from rich.progress import track

        yield from track(items, label, total=total, transient=True)
        return
    said = time.monotonic()
    for done, item in enumerate(items):
        if time.monotonic() - said > 30:
            said = time.monotonic()
            say(f"{label}: {done:,} of {total:,}")
        yield item


def table(title: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Prints a table: the first column aligned left, the others right.

    If it is too wide, the first column folds, down to NARROW characters. The other columns stay whole, so the table may
    be wider than the terminal.
    """
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table

    view = Table(title=title, title_justify="left", title_style="bold")
    cells = [[cell.translate(UNPRINTABLE) for cell in row] for row in rows]
    for number, name in enumerate(header):
        view.add_column(name, justify="right" if number else "left", no_wrap=number > 0, overflow="fold")
    for row in cells:
        view.add_row(*row)
    label, *others = (max(map(cell_len, column)) for column in zip(header, *cells, strict=True))
    console = Console(width=None if sys.stdout.isatty() else 140, markup=False, highlight=False)
    least = min(label, NARROW) + sum(others) + 3 * len(header) + 1  # with the spaces and lines between columns
    console.size = max(console.width, least), console.height
    console.print(view)

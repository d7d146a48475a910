"""What a person sees while a stage works: bars in a terminal, plain lines in a log."""

import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")

MANY, LIKELIEST = 12, 5  # classes that are all told, and how many are of more
NARROW = 24  # characters that the first column of a table keeps, however narrow the terminal is

# C0 and C1 controls and the bidirectional ones: a review must not drive the reader's terminal.
UNPRINTABLE = dict.fromkeys([*range(9), *range(10, 32), *range(127, 160), *range(8234, 8239), *range(8294, 8298)])


def say(line: str) -> None:
    """Print one line at once, without anything that could steer the terminal."""
    print(line.translate(UNPRINTABLE), flush=True)


def few(names: Sequence[str], most: int = 3) -> str:
    """The first names in quotes, and how many others there are: 'a', 'b', 'c' and 12 others."""
    return first([repr(name) for name in names], most)


def first(names: Sequence[str], most: int = 3) -> str:
    """The first names, and how many others there are: a, b, c and 12 others."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more:,} other{'s' if more > 1 else ''}" if more > 0 else "")


def shortened(text: str, most: int = 24) -> str:
    """Returns a text of at most `most` characters: a longer one ends in an ellipsis."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def counted(count: int, one: str, several: str) -> str:
    """A number with the words that go with it: '1 text looks', '2,000 texts look'."""
    return f"{count:,} {one if count == 1 else several}"


def shares(of: Mapping[str, float]) -> str:
    """Classes with their probabilities; of many, the likeliest ones."""
    shown = list(of.items())
    if len(shown) > MANY:
        shown = sorted(shown, key=lambda one: -one[1])[:LIKELIEST]
    more = f"  and {len(of) - len(shown):,} others" if len(shown) < len(of) else ""
    return "  ".join(f"{label} {share:.4f}" for label, share in shown) + more


def progress(items: Iterable[T], label: str, total: int) -> Iterator[T]:
    """Yield the items: in a terminal with a bar, in a log with a line at most every 30 s."""
    if sys.stdout.isatty():
        from rich.progress import track

        yield from track(items, label, total=total, transient=True)
        return
    told = time.monotonic()
    for done, item in enumerate(items):
        if time.monotonic() - told > 30:
            told = time.monotonic()
            say(f"{label}: {done:,} of {total:,}")
        yield item


def table(title: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table: first column left, the others right.

    Where it is too wide the first column folds, to NARROW. No other one is cut: a table may then be wider than the
    terminal, but it loses no figure.
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
    least = min(label, NARROW) + sum(others) + 3 * len(header) + 1  # each with spaces and a line
    console.size = max(console.width, least), console.height
    console.print(view)

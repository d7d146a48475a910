"""An explanation in the terminal: the text in two colours, and a table of the tokens with the largest attributions."""

import sys
from collections import defaultdict
from collections.abc import Iterator
from itertools import groupby, zip_longest
from typing import TYPE_CHECKING

import numpy as np

from textmill.console import UNPRINTABLE, shares
from textmill.explain import Explanation

if TYPE_CHECKING:
    from rich.text import Text

Sides = tuple[str, str]  # the styles for tokens that count for a label, and against it
MOST = 8  # tokens on each side of the table
LEAST = 0.005  # smallest log-odds in the table, which shows two digits
STRONG, WEAK = 0.5, 0.15  # shares of the largest attribution, from which tokens are coloured
# For, against. Blue and orange: distinct for colour-blind people, and readable on light and dark backgrounds.
STRONGLY = ("bold white on blue", "bold black on yellow")
WEAKLY = ("#4f8ec4", "#d9822b")


def show(explanation: Explanation) -> None:
    """Prints an explanation. Without colours (NO_COLOR, a pipe) the table still says it all."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(width=None if sys.stdout.isatty() else 100, markup=False, highlight=False)
    label, others = explanation.label, dict(explanation.probabilities)
    heading = f"{label} {others.pop(label):.4f}  {shares(others)}"
    console.print(heading.translate(UNPRINTABLE), style="bold", soft_wrap=True)
    console.print()
    console.print(Text(" ").join(coloured(explanation)))
    console.print()

    sides = top_tokens(explanation)
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False)
    for title in (f"for {label}", f"against {label}"):
        table.add_column(title.translate(UNPRINTABLE), overflow="fold")
        table.add_column(justify="right")
    for pair in zip_longest(*sides, fillvalue=("", "")):
        table.add_row(*(cell for side in pair for cell in side))
    console.print(table if any(sides) else f"no token has an attribution of {LEAST} or more")
    console.print()
    console.print(summary(explanation))


def coloured(explanation: Explanation) -> "list[Text]":
    """Returns the tokens in the colours of their attributions; tokens that are not read become one remark."""
    from rich.text import Text

    parts = []
    for text, value, sides in segments(explanation, WEAKLY, STRONGLY):
        style = "dim" if value is None else sides[int(value < 0)]
        parts.append(Text(text.translate(UNPRINTABLE), style))
    return parts


def segments(explanation: Explanation, weakly: Sides, strongly: Sides) -> Iterator[tuple[str, float | None, Sides]]:
    """Yields each token, its attribution, and its styles (for, against); for tokens that are not read, one remark."""
    values = explanation.attributions
    largest = np.nanmax(np.abs(values)) or 1.0
    for unread, run in groupby(zip(explanation.tokens, values, strict=True), lambda pair: np.isnan(pair[1])):
        pairs = list(run)
        if unread:
            yield f"[{len(pairs):,} tokens the model does not read]", None, ("", "")
            continue
        for token, value in pairs:
            share = abs(value) / largest
            yield token, value, strongly if share >= STRONG else weakly if share >= WEAK else ("", "")


def top_tokens(explanation: Explanation) -> list[list[tuple[str, str]]]:
    """Returns the tokens for and against the label, largest attributions first. Repeated tokens are added up."""
    sums: defaultdict[str, float] = defaultdict(float)
    places: defaultdict[str, int] = defaultdict(int)
    for token, known, value in zip(explanation.tokens, explanation.known, explanation.attributions, strict=True):
        if not np.isnan(value):
            name = token if known else f"{token} (unknown)"
            sums[name] += float(value)
            places[name] += 1

    def cells(token: str) -> tuple[str, str]:
        times = f" x{places[token]}" if places[token] > 1 else ""
        return f"{token.translate(UNPRINTABLE)}{times}", f"{sums[token]:+.2f}"

    ranked = sorted(sums, key=lambda token: (-abs(sums[token]), token))
    ranked = [token for token in ranked if abs(sums[token]) >= LEAST]
    return [[cells(token) for token in ranked if sign * sums[token] > 0][:MOST] for sign in (1, -1)]


def summary(explanation: Explanation) -> str:
    unit = f"log-odds of {explanation.label}".translate(UNPRINTABLE)
    if explanation.start is None:
        return f"{explanation.method}: how much the {unit} fall without the token"
    tokens = float(np.nansum(explanation.attributions))
    whole = explanation.start + tokens
    parts = f"{explanation.start:+.2f} without any token, {tokens:+.2f} from the tokens"
    return f"{explanation.method}: {unit} {whole:+.2f}: {parts}"

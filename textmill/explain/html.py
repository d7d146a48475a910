"""An explanation in a notebook: the text in two colours, and the tokens that weigh most."""

from html import escape
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from textmill.console import UNPRINTABLE, shares
from textmill.explain.view import STRONG, WEAK, summed, weightiest

if TYPE_CHECKING:
    from textmill.explain import Explanation

# For, against: the colours of the terminal, with a line below, full or dotted, for who does not see them.
STRONGLY = (
    "background:#1f6fb5;color:#fff;border-bottom:2px solid",
    "background:#d9822b;color:#000;border-bottom:2px dotted",
)
WEAKLY = ("border-bottom:2px solid #1f6fb5", "border-bottom:2px dotted #d9822b")


def as_html(explanation: "Explanation") -> str:
    """A piece of a page, without a script and with every text escaped."""
    label, others = explanation.label, dict(explanation.probabilities)
    told = f"{label} {others.pop(label):.4f}  {shares(others)}"
    rows = []
    sides = weightiest(explanation)
    for number in range(max(map(len, sides))):
        cells = [side[number] if number < len(side) else ("", "") for side in sides]
        rows.append("<tr>" + "".join(f"<td>{_safe(cell)}</td>" for pair in cells for cell in pair) + "</tr>")
    head = "".join(f"<th colspan=2>{word} {_safe(label)}</th>" for word in ("for", "against"))
    return (
        f"<div><p><b>{_safe(told)}</b></p><p style='line-height:1.8'>{' '.join(_painted(explanation))}</p>"
        f"<table><tr>{head}</tr>{''.join(rows)}</table><p>{_safe(summed(explanation))}</p></div>"
    )


def _painted(explanation: "Explanation") -> list[str]:
    values = explanation.attributions
    largest = np.nanmax(np.abs(values)) or 1.0
    parts = []
    for unread, run in groupby(zip(explanation.tokens, values, strict=True), lambda pair: np.isnan(pair[1])):
        pairs = list(run)
        if unread:
            parts.append(f"<i>[{len(pairs):,} tokens the model does not read]</i>")
            continue
        for token, value in pairs:
            share = abs(value) / largest
            style = (STRONGLY if share >= STRONG else WEAKLY)[int(value < 0)] if share >= WEAK else ""
            title = f" title='{value:+.2f}'"
            parts.append(f"<span style='{style}'{title}>{_safe(token)}</span>")
    return parts


def _safe(text: str) -> str:
    return escape(text.translate(UNPRINTABLE))

"""An explanation in a notebook: the text in two colours, and a table of the tokens with the largest attributions."""

from html import escape
from itertools import zip_longest
from typing import TYPE_CHECKING

from textmill.console import UNPRINTABLE, shares
from textmill.explain.view import segments, summary, top_tokens

if TYPE_CHECKING:
    from textmill.explain import Explanation

# For, against: the colours of the terminal, and a solid or dotted line for people who cannot tell them apart.
STRONGLY = (
    "background:#1f6fb5;color:#fff;border-bottom:2px solid",
    "background:#d9822b;color:#000;border-bottom:2px dotted",
)
WEAKLY = ("border-bottom:2px solid #1f6fb5", "border-bottom:2px dotted #d9822b")


def as_html(explanation: "Explanation") -> str:
    """Returns HTML without scripts, and with every text escaped."""
    label, others = explanation.label, dict(explanation.probabilities)
    heading = f"{label} {others.pop(label):.4f}  {shares(others)}"
    rows = [
        "<tr>" + "".join(f"<td>{_safe(cell)}</td>" for side in pair for cell in side) + "</tr>"
        for pair in zip_longest(*top_tokens(explanation), fillvalue=("", ""))
    ]
    head = "".join(f"<th colspan=2>{word} {_safe(label)}</th>" for word in ("for", "against"))
    return (
        f"<div><p><b>{_safe(heading)}</b></p><p style='line-height:1.8'>{' '.join(_coloured(explanation))}</p>"
        f"<table><tr>{head}</tr>{''.join(rows)}</table><p>{_safe(summary(explanation))}</p></div>"
    )


def _coloured(explanation: "Explanation") -> list[str]:
    parts = []
    for text, value, sides in segments(explanation, WEAKLY, STRONGLY):
        if value is None:
            parts.append(f"<i>{text}</i>")
        else:
            parts.append(f"<span style='{sides[int(value < 0)]}' title='{value:+.2f}'>{_safe(text)}</span>")
    return parts


def _safe(text: str) -> str:
    return escape(text.translate(UNPRINTABLE))

"""What changed, as markdown for a pull request."""

from collections.abc import Iterable, Sequence

from textmill.console import first
from textmill.judging.metrics import METRICS
from textmill.report.numbers import count, percent, points
from textmill.review.changes import Changes, Scored


def lines(of: Changes) -> list[str]:
    """Returns the lines: headings, tables and sentences."""
    commit, comparison = of.commit, of.comparison
    there = commit.named
    markdown = [f"### {_cell(comparison.dataset)}: since {_cell(there)}", ""]
    if of.params:
        markdown += _table(["params.yaml", _cell(commit.short), "here"], [[*map(_code, one)] for one in of.params])
    else:
        markdown += ["params.yaml is the same.", ""]
    if of.code:
        markdown += [
            f"The code of {_cell(first(list(dict.fromkeys(name.split('@')[0] for name in of.code))))} differs.",
            "",
        ]
    title = f"test {METRICS[comparison.metric].title}"
    level = f"{100 - 100 * comparison.alpha:g} % interval"
    if all(one.same for one in of.scores):
        markdown += [f"All models give the same answers on {count(comparison.rows)} test documents.", ""]
    else:
        header = [title, _cell(commit.short), "here", "points", level, "verdict"]
        markdown += _table(header, [_row(one) for one in of.scores], numbers=4)
        judged = sum(one.pair is not None for one in of.scores)
        together = "; the intervals of all of them hold together" if judged > 1 else ""
        if judged:
            markdown += [f"On the same {count(comparison.rows)} test documents{together}.", ""]
    then, now = of.champions
    if then is None:
        unknown = f"the champion of {_cell(there)} is not in DVC's cache"
        markdown.append(f"Champion by {comparison.champion_by}: **{now}**; {unknown}.")
    elif then == now:
        markdown.append(f"Champion by {comparison.champion_by}: **{now}**, as before.")
    else:
        markdown.append(f"Champion by {comparison.champion_by}: **{now}**; it was {_cell(then)}.")
    return markdown


def _row(one: Scored) -> list[str]:
    scores = [_cell(one.model), percent(one.then), percent(one.now)]
    if one.same:
        return [*scores, "0.0", "", "the same answers"]
    if one.pair is None:
        difference = points(one.now - one.then) if one.now is not None and one.then is not None else ""
        return [*scores, difference, "", one.why]
    low, high = one.pair.low, one.pair.high
    verdict = {"now": "**better**", "then": "**worse**", None: "tie"}[one.pair.better]
    if one.pair.better is None and one.pair.least is not None:
        verdict += f"; a difference must reach {100 * one.pair.least:.1f} points to show"
    ends = "" if low is None else f"{points(low)} to {points(high)}"
    return [*scores, points(one.pair.difference), ends, verdict]


def _table(header: Sequence[str], rows: Iterable[Sequence[str]], numbers: int = 0) -> list[str]:
    """Returns a table and an empty line. numbers: how many columns after the first are right-aligned."""
    align = ["---:" if 0 < number <= numbers else "---" for number in range(len(header))]
    return [f"| {' | '.join(row)} |" for row in (header, align, *rows)] + [""]


def _code(value: str | None) -> str:
    """Returns a value as code, so that nothing in it is markup."""
    return "–" if value is None else f"`{_inside(value)}`"


def _cell(text: str) -> str:
    """Returns text that stays in its cell and is not markup."""
    return _inside(text).replace("&", "&amp;").replace("<", "&lt;")


def _inside(text: str) -> str:
    return " ".join(text.replace("`", "'").split()).replace("|", "\\|")

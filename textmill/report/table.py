"""The terminal's table of all models, the champion's standing, what to doubt, and where to look next."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from textmill.console import few, say, table
from textmill.judging.doubts import Doubt
from textmill.judging.metrics import METRICS
from textmill.report.doubts import lines
from textmill.report.numbers import count, decimals, interval, percent, range_of_points
from textmill.results.comparison import Comparison, Entry
from textmill.timings import Timing

DECIDED = {"log_loss": "the lower log-loss", "parameters": "the smaller size", "name": "the name that comes first"}
FEW = 4  # names of classes in a line
VERBS = {"beats": "beats", "ties": "ties with", "loses": "is beaten on the test split by"}


def tell(comparison: Comparison, timings: Mapping[str, Timing], page: Path, doubts: Iterable[Doubt]) -> None:
    """Print them all. timings: of the models; ensembles have none."""
    others = [name for name in METRICS if name != comparison.metric]
    header = ["model", "validation", "test", "interval", *(METRICS[name].title for name in others)]
    header += ["log-loss", "calibration", "parameters", "train s", "docs/s"]
    rows = [_row(model, others, timings.get(model.name, Timing())) for model in comparison.models]
    base = comparison.baseline
    guess = [percent(base.scores[comparison.metric]), "", *(percent(base.scores[name]) for name in others)]
    rows.append([f"always {base.label[:20]}", "", *guess, *[""] * 5])
    title = f"{comparison.dataset}: {comparison.metric} on {comparison.rows:,} test documents"
    if any(model.seeds > 1 for model in comparison.models):
        title += "; of several seeds mean ± standard deviation"
    table(title, header, rows)
    if comparison.absent:
        say(f"The test split has no document of {few(comparison.absent)}: macro averages are over the classes it has")

    if comparison.rare:
        say(f"Few test documents of {rare(comparison)}: macro-F1 hangs on each of them")
    say(f"Champion by {comparison.champion_by}: {comparison.champion} ({standing(comparison)})")
    if comparison.odds:
        say(narrow(comparison))
    for model in comparison.ahead:
        members = " and ".join(model.members)
        say(f"Ahead of it on validation: {model.name}, the ensemble of {members} ({percent(model.validation)})")
    for line in lines(doubts):
        say(f"Note: {line}")
    say(f"Look next: {page} (curves, confusion, errors) · `textmill ui` (runs) · `dvc metrics diff` (what changed)")


def rare(comparison: Comparison) -> str:
    """The labels with few test documents, and how many these are."""
    names = [f"{label[:20]} ({rows})" for label, rows in comparison.rare.items()]
    if len(names) <= FEW:
        return ", ".join(names)
    return f"{', '.join(names[: FEW - 1])} and {len(names) - FEW + 1:,} other classes"


def standing(comparison: Comparison) -> str:
    """Where the champion stands on the test split; a tie with the difference that could have been seen."""
    found = [f"{VERBS[verb]} {', '.join(names)}" for verb, names in comparison.standing.items() if names]
    if comparison.least:
        found.append(f"it takes {range_of_points(comparison.least)} points to tell models apart that tie")
    return "; ".join(found) or "nothing to compare it with"


def narrow(comparison: Comparison) -> str:
    """How near others were to being the champion."""
    told = ", ".join(f"{model.name} {100 * (model.wins or 0):.0f} %" for model in comparison.odds)
    line = f"With other validation {comparison.validation.by}s the champion would be {told}"
    if comparison.decided_by:
        line += f"; as good on these: {', '.join(comparison.equal)}; {DECIDED[comparison.decided_by]} decided"
    return line


def _row(model: Entry, others: list[str], timing: Timing) -> list[str]:
    return [
        model.name,
        percent(model.validation),
        percent(model.score) + (f" ± {100 * model.sd:.2f}" if model.sd is not None else ""),
        interval(model.low, model.high),
        *(percent(model.scores[name]) for name in others),
        decimals(model.scores["log_loss"]),
        decimals(model.scores["calibration_error"]),
        count(model.parameters),
        decimals(timing.train_seconds, 1),
        count(timing.predict_documents_per_second),
    ]

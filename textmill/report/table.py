"""The terminal's summary: a table of all models, the champion's standing, doubts, and where to look next."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from shutil import get_terminal_size

from textmill import timings
from textmill.console import UNPRINTABLE, few, first, say, shortened
from textmill.judging.doubts import Doubt, doubts
from textmill.judging.metrics import METRICS
from textmill.records.comparison import Comparison, Entry
from textmill.records.outcome import Outcome
from textmill.report.doubts import lines
from textmill.report.numbers import count, decimals, interval, percent, range_of_points
from textmill.timings import Timing

DECIDED = {"log_loss": "the lower log-loss", "parameters": "the smaller size", "name": "the name that comes first"}
FEW = 4  # names of classes in a line
VERBS = {"beats": "beats", "ties": "ties with", "loses": "loses on the test split to"}
LATER = "TEXTMILL_REPRO"  # environment variable: `textmill repro` prints the table at its end
WIDE = 140  # characters of a line without a terminal
GAP = 2
KEPT = 4  # columns that every terminal shows: model, validation, test, interval
SPARE = ("docs/s", "calibration", "parameters", "log-loss", "train s")  # left out first, in this order


def print_table(comparison: Comparison, models: Mapping[str, Outcome], page: Path, doubts: Iterable[Doubt]) -> None:
    """Prints the whole table, unless `textmill repro` does that later. models: by name, without ensembles."""
    if LATER not in os.environ:
        _print_table(comparison, models, doubts)
        say(look_next(page))


def reprint_table(compared: Path, scored: Path) -> None:
    """Prints the table of the last `compare` again, without the line about where to look next.

    compared: comparison.json. scored: the folder with a folder of results for each model.
    """
    comparison = Comparison.read(compared)
    models = {one.name: Outcome.read(scored / one.name) for one in comparison.models if not one.members}
    _print_table(comparison, models, doubts(comparison, models))


def look_next(page: Path) -> str:
    """Returns where to look next, in one line."""
    return f"Look next: {page} · textmill ui · dvc metrics diff"


def _print_table(comparison: Comparison, models: Mapping[str, Outcome], doubts: Iterable[Doubt]) -> None:
    # Seconds differ from run to run: they are printed, and never written into an output.
    seconds = {name: timings.recorded(model.folder, model.fit.weights) for name, model in models.items()}
    others = [name for name in METRICS if name != comparison.metric]
    header = ["model", "validation", "test", "interval", *(METRICS[name].title for name in others)]
    header += ["log-loss", "calibration", "parameters", "train s", "docs/s"]
    rows = [_row(model, others, seconds.get(model.name, Timing())) for model in comparison.models]
    base = comparison.baseline
    guess = [percent(base.scores[comparison.metric]), "", *(percent(base.scores[name]) for name in others)]
    rows.append([f"always {base.label}", "", *guess, *[""] * 5])
    title = f"{comparison.dataset}: {comparison.metric} on {comparison.rows:,} test documents"
    if any(model.seeds > 1 for model in comparison.models):
        title += "; mean ± standard deviation of several seeds"
    width = get_terminal_size((WIDE, 24)).columns
    say(title)
    for line in grid([header, *rows], width):
        say(line)
    if comparison.absent:
        say(f"The test split has no document of {few(comparison.absent)}: macro averages cover only the classes it has")
    if comparison.rare:
        say(f"Few test documents of {rare(comparison)}: macro-F1 depends heavily on each of them")
    say(f"Champion by {comparison.champion_by}: {comparison.champion} ({standing(comparison)})")
    if comparison.odds:
        say(narrow(comparison))
    for model in comparison.ahead:
        members = " and ".join(model.members)
        say(f"Higher on validation: {model.name}, the ensemble of {members} ({percent(model.validation)})")
    for line in lines(doubts):
        say(f"Note: {line}")


def grid(rows: Sequence[Sequence[str]], width: int) -> Iterator[str]:
    """Yields rows as lines of at most `width` characters, the first as the header; last, which columns were left out.

    The first column is left-aligned, the others right-aligned. Only long names are shortened.
    """
    from rich.cells import cell_len, set_cell_size

    header = list(rows[0])
    cells = [[shortened(row[0].translate(UNPRINTABLE)), *row[1:]] for row in rows]
    widths = [max(map(cell_len, column)) for column in zip(*cells, strict=True)]
    kept, out = list(range(len(header))), []
    spare = [header.index(name) for name in SPARE if name in header]
    spare += [at for at in range(KEPT, len(header)) if at not in spare]
    while spare and sum(widths[at] + GAP for at in kept) - GAP > width:
        kept.remove(at := spare.pop(0))
        out.append(header[at])

    def line(row: Sequence[str]) -> str:
        parts = [set_cell_size(row[0], widths[0]), *(row[at].rjust(widths[at]) for at in kept[1:])]
        return (" " * GAP).join(parts).rstrip()

    yield line(cells[0])
    yield (" " * GAP).join("─" * widths[at] for at in kept)
    yield from map(line, cells[1:])
    if out:
        yield f"(without {', '.join(reversed(out))}: see the page)"


def rare(comparison: Comparison) -> str:
    """Returns the labels with few test documents, with how many documents each has."""
    return first([f"{label[:20]} ({rows})" for label, rows in comparison.rare.items()], FEW)


def standing(comparison: Comparison) -> str:
    """Returns how the champion does on the test split; with a tie, the difference that would have shown."""
    found = [f"{VERBS[verb]} {', '.join(names)}" for verb, names in comparison.standing.items() if names]
    if comparison.least:
        found.append(f"a difference must reach {range_of_points(comparison.least)} points to show")
    return "; ".join(found) or "nothing to compare it with"


def narrow(comparison: Comparison) -> str:
    """Returns how close the other models were to being the champion."""
    odds = ", ".join(f"{model.name} {percent(model.wins, 0)}" for model in comparison.odds)
    line = f"With other validation {comparison.validation.by}s, the champion would be {odds}"
    if comparison.decided_by:
        equal = comparison.equal
        line += (
            f"; {', '.join(equal)} score{'s' * (len(equal) == 1)} the same, so {DECIDED[comparison.decided_by]} decided"
        )
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

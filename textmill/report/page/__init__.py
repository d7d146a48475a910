"""The report: one page that opens offline, with one small script, and loads nothing.

The templates arrange the page. This module gives them numbers as text, and scales from values to positions. The same
experiment gives the same bytes: `textmill.review.signing` writes the commit, which does not exist yet, and timings,
which differ from run to run, into a copy.
"""

import base64
import hashlib
import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from textmill.console import few, shortened
from textmill.judging.metrics import METRICS
from textmill.records.comparison import Comparison
from textmill.report.confusions import CLASSES, largest, weakest
from textmill.report.cost import Cost, chart, costs
from textmill.report.doubts import lines
from textmill.report.experiment import Experiment
from textmill.report.labels import curve_line, curve_positions, gain
from textmill.report.numbers import count, decimals, extent, interval, percent, points, range_of_points
from textmill.report.plots import PALETTE
from textmill.report.settings import differing, plain
from textmill.report.side_by_side import side_by_side
from textmill.report.table import DECIDED, rare

HERE = Path(__file__).parent
BASE = "base.html.j2"
INCLUDED = (
    "macros.html.j2",
    "verdict.html.j2",
    "provenance.html.j2",
)  # named here, so that a change of them counts as code
STYLE, SCRIPT = "page.css", "page.js"
COST, SIGNATURE = "cost.html.j2", "signature.html.j2"  # what differs in a signed page


class Part(NamedTuple):
    """A section of the page: its id, its title in the contents, and its template."""

    name: str
    title: str
    file: str


SECTIONS = (
    Part("comparison", "Comparison", "comparison.html.j2"),
    Part("cost", "Quality and cost", COST),
    Part("pairs", "Differences", "pairs.html.j2"),
    Part("errors", "Errors and disagreements", "errors.html.j2"),
    Part("slices", "Slices", "slices.html.j2"),
    Part("thresholds", "Confidence thresholds", "thresholds.html.j2"),
    Part("classes", "Classes", "classes.html.j2"),
    Part("confusion", "Confusion", "confusion.html.j2"),
    Part("ranking", "ROC and precision-recall", "ranking.html.j2"),
    Part("calibration", "Calibration", "calibration.html.j2"),
    Part("learnt", "What the linear model learnt", "learnt.html.j2"),
    Part("curves", "Learning curves", "curves.html.j2"),
    Part("more-labels", "More labels", "labels.html.j2"),
    Part("suspects", "Suspicious labels", "suspects.html.j2"),
    Part("data", "Data", "data.html.j2"),
    Part("params", "Params", "params.html.j2"),
    Part("words", "What the numbers mean", "words.html.j2"),
)


def render(of: Experiment) -> str:
    """Returns the page. Every text in it is escaped; the same experiment gives the same bytes."""
    comparison, found, models = of.comparison, of.found, of.found.models
    there = {
        "pairs": bool(comparison.pairs),
        "thresholds": any(model.scores.risks for model in models.values()),
        "ranking": bool(of.rankings),
        "learnt": any(model.terms for model in models.values()),
        "more-labels": bool(found.labels.curves),
        "suspects": bool(found.labels.suspects.top),
    }
    names = [one.name for one in comparison.models if one.name in models]
    sizes = {name: model.scores.bundle_bytes for name, model in models.items()}
    script, style = ((HERE / file).read_text(encoding="utf-8") for file in (SCRIPT, STYLE))
    environment = _environment(comparison, list(models))
    return environment.get_template(BASE).render(
        asked=of.asked,
        script=script,
        script_hash=hash_of(script),
        style=style,
        sections=[part for part in SECTIONS if there.get(part.name, True)],
        names=names,
        own=models[comparison.champion].scores.of(models[comparison.champion].fit.seed),
        others={name: metric.title for name, metric in METRICS.items() if name != comparison.metric},
        standing=comparison.standing,
        ahead=comparison.ahead,
        rare=rare(comparison),
        decided=DECIDED.get(comparison.decided_by or ""),
        doubts=lines(of.doubts),
        models=models,
        slices=side_by_side([models[name] for name in names]),
        clean=found.clean,
        split=found.split,
        encoded=found.encoded,
        vectors=found.vectors,
        curves=found.labels.curves,
        suspects=found.labels.suspects,
        answers=of.answers,
        rankings=of.rankings,
        shown={row.id for row in of.answers.shown},
        differing=differing(of.asked.models),
        shared=plain(of.asked.train),
        signature=None,
        **of_cost(comparison, costs(comparison, sizes)),
    )


def fragment(file: str, comparison: Comparison, models: Iterable[str], **context: Any) -> str:
    """Returns one template alone, as it is on the page. models: in the order of params.yaml."""
    return _environment(comparison, list(models)).get_template(file).render(**context)


def of_cost(comparison: Comparison, found: list[Cost]) -> dict[str, Any]:
    """Returns what the section about cost shows: a row for each model, and a chart for each known cost."""
    scores = {one.name: one.score for one in found}
    marks = ticks(*span(scores.values()))
    charts = []
    for title, values in (
        ("size in MB", {one.name: one.megabytes for one in found}),
        ("seconds of training", {one.name: one.seconds for one in found}),
        ("documents per second", {one.name: one.pace for one in found}),
    ):
        known = {name: value for name, value in values.items() if value}
        if known:
            charts.append(chart(title, known, scores, marks))
    machines = sorted({one.machine for one in found if one.machine})
    return {"costs": found, "charts": charts, "machines": machines}


def hash_of(script: str) -> str:
    """Returns the source under which a content security policy lets exactly this script run."""
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}"


def _environment(comparison: Comparison, models: list[str]) -> Environment:
    """Returns what all templates share: how numbers are written, and the names and colours of the models."""
    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"percent": percent, "points": points, "decimals": decimals, "count": count}
    environment.filters |= {"extent": extent, "few": few, "shortened": shortened}
    environment.globals |= {"scale": scale, "ticks": ticks, "span": span, "interval": interval, "largest": largest}
    environment.globals |= {"weakest": weakest, "most_classes": CLASSES}
    environment.globals |= {
        "points_of": range_of_points,
        "curve_positions": curve_positions,
        "curve_line": curve_line,
        "gain": gain,
    }
    ensembles = [model.name for model in comparison.models if model.name not in models]
    order = [*models, *sorted(ensembles)]
    environment.globals |= {
        "comparison": comparison,
        "colours": {name: PALETTE[number % len(PALETTE)] for number, name in enumerate(order)},
        "champion": comparison.champion,
        "best": next(model for model in comparison.models if model.name == comparison.champion),
        "several": [model for model in comparison.models if model.seeds > 1],
        "level": f"{round(100 - 100 * comparison.alpha, 2):g}\N{NO-BREAK SPACE}%",
        "labels": comparison.labels,
        "few": len(comparison.labels) <= 6,
        "metric": METRICS[comparison.metric].title,
        "baseline": comparison.baseline.scores[comparison.metric],
    }
    return environment


def span(values: Iterable[float | None], margin: float = 0.06) -> tuple[float, float]:
    """Returns the ends of an axis: a little below the lowest value and above the highest; (0, 1) without values."""
    known = [value for value in values if value is not None]
    if not known:
        return 0.0, 1.0
    apart = margin * (max(known) - min(known)) or 0.01
    return min(known) - apart, max(known) + apart


def scale(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    """Returns the function that maps `low` to `start` and `high` to `end`."""
    return lambda value: round(start + (value - low) / ((high - low) or 1) * (end - start), 2)


def ticks(low: float, high: float, most: int = 4) -> list[float]:
    """Returns about `most` round numbers in [low, high], in steps of 1, 2 or 5 times a power of ten."""
    least = (high - low) / most
    power = 10.0 ** math.floor(math.log10(least))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= least * 0.999)
    return [round(k * step, 10) for k in range(math.ceil(low / step), math.floor(high / step) + 1)]

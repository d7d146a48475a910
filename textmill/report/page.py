"""The report: one page that opens offline, without scripts and without anything to fetch.

The template says what stands where; this module gives it numbers as text, and scales from values to places.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from textmill.console import few
from textmill.judging.doubts import Doubt
from textmill.judging.metrics import METRICS
from textmill.report.doubts import lines
from textmill.report.labels import curve_line, drawn, gain
from textmill.report.numbers import count, decimals, extent, interval, percent, points, range_of_points
from textmill.report.plots import PALETTE
from textmill.report.side_by_side import side_by_side
from textmill.report.table import DECIDED, rare
from textmill.results.comparison import Comparison
from textmill.results.data import Clean, Split, Tokenized, Vectors
from textmill.results.labels import Labels
from textmill.results.outcome import Outcome


def render(
    comparison: Comparison,
    models: Mapping[str, Outcome],
    clean: Clean,
    split: Split,
    encoded: Mapping[str, Tokenized],
    vectors: Mapping[str, Vectors],
    doubts: Iterable[Doubt],
    labels: Labels,
) -> str:
    """The page. Every text in it is escaped; the same input gives the same bytes.

    models: by name, in the order of params.yaml (which gives the colours); those of the comparison that are not there
    are ensembles. encoded, vectors: by tokenizer.
    """
    ensembles = [model.name for model in comparison.models if model.name not in models]
    names = [*models, *sorted(ensembles)]
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": percent, "points": points, "decimals": decimals, "count": count}
    environment.filters |= {"extent": extent, "few": few}
    environment.globals |= {"scale": scale, "ticks": ticks, "span": span, "interval": interval}
    environment.globals |= {"points_of": range_of_points, "drawn": drawn, "curve_line": curve_line, "gain": gain}
    return environment.get_template("page.html.j2").render(
        comparison=comparison,
        metric=METRICS[comparison.metric].title,
        others={name: metric.title for name, metric in METRICS.items() if name != comparison.metric},
        standing=comparison.standing,
        ahead=comparison.ahead,
        rare=rare(comparison),
        decided=DECIDED.get(comparison.decided_by or ""),
        doubts=lines(doubts),
        models=models,
        slices=side_by_side([models[one.name] for one in comparison.models if one.name in models]),
        colours={name: PALETTE[number % len(PALETTE)] for number, name in enumerate(names)},
        clean=clean,
        split=split,
        encoded=encoded,
        vectors=vectors,
        curves=labels.curves,
        suspects=labels.suspects,
    )


def span(values: Iterable[float | None], margin: float = 0.06) -> tuple[float, float]:
    """Lowest and highest of the values, a little apart from them; (0, 1) if there is none."""
    known = [value for value in values if value is not None]
    if not known:
        return 0.0, 1.0
    apart = margin * (max(known) - min(known)) or 0.01
    return min(known) - apart, max(known) + apart


def scale(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    """The function that puts `low` at `start` and `high` at `end`."""
    return lambda value: round(start + (value - low) / ((high - low) or 1) * (end - start), 2)


def ticks(low: float, high: float, most: int = 4) -> list[float]:
    """Round numbers in [low, high], a step of 1, 2 or 5 times a power of ten apart, about `most` of them."""
    least = (high - low) / most
    power = 10.0 ** math.floor(math.log10(least))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= least * 0.999)
    return [round(k * step, 10) for k in range(math.ceil(low / step), math.floor(high / step) + 1)]

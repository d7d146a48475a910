"""The report: one page that opens offline, without scripts and without anything to fetch.

The template says what stands where; this module gives it numbers as text, and scales from values to places.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from textmill.judging.comparison import ahead, standing
from textmill.report.plots import PALETTE
from textmill.report.side_by_side import side_by_side

NOTHING = "–"
SPACE = "\N{NO-BREAK SPACE}"


def render(
    comparison: Mapping[str, Any],
    models: Mapping[str, Mapping[str, Any]],
    clean: Mapping[str, Any],
    split: Mapping[str, Any],
    encoded: Mapping[str, Mapping[str, Any]],
) -> str:
    """The page. Every text in it is escaped; the same input gives the same bytes.

    models: name -> {"fit", "scores", "errors", "analysis", "history"}, in the order of params.yaml (which gives the
    colours); those of the comparison that are not there are ensembles.
    clean, split, encoded: the contents of metrics/clean.json, split.json and encode-TOKENIZER.json by tokenizer,
    with `vectors`, that of vectors-TOKENIZER.json.
    """
    ensembles = [model["name"] for model in comparison["models"] if model["name"] not in models]
    names = [*models, *sorted(ensembles)]
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": percent, "points": points, "decimals": decimals, "count": count, "p": p_value}
    environment.filters["extent"] = extent
    environment.globals |= {"scale": scale, "ticks": ticks, "span": span}
    return environment.get_template("page.html.j2").render(
        comparison=comparison,
        metric={"accuracy": "accuracy", "f1_macro": "macro-F1"}[comparison["metric"]],
        standing=standing(comparison),
        ahead=ahead(comparison),
        models=models,
        groups=side_by_side(models, [model["name"] for model in comparison["models"] if model["name"] in models]),
        colours={name: PALETTE[number % len(PALETTE)] for number, name in enumerate(names)},
        clean=clean,
        split=split,
        encoded=encoded,
    )


def percent(share: float | None, digits: int = 1) -> str:
    """0.7812 as '78.1 %'."""
    return NOTHING if share is None else f"{100 * share:.{digits}f}{SPACE}%"


def points(difference: float) -> str:
    """A difference of shares in percentage points: 0.0212 as '+2.1'."""
    text = f"{100 * difference:+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text.replace("-", "\N{MINUS SIGN}")


def decimals(value: float | None, digits: int = 3) -> str:
    """0.5 as '0.500'."""
    return NOTHING if value is None else f"{value:.{digits}f}"


def count(value: float | None) -> str:
    """12345 as '12,345'."""
    return NOTHING if value is None else f"{value:,.0f}"


def extent(ends: tuple[int, int]) -> str:
    """(1, 12) as '1–12', and two equal numbers as one."""
    return count(ends[0]) if ends[0] == ends[1] else f"{count(ends[0])}–{count(ends[1])}"


def p_value(p: float) -> str:
    """0.0342 as '0.034', and what is smaller than three digits show as '< 0.001'."""
    return f"<{SPACE}0.001" if p < 0.001 else f"{p:.3f}"


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

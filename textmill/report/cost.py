"""What models cost: their size and, where known, training time and documents per second."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from textmill.records.comparison import Comparison
from textmill.timings import Timing

MEGABYTE = 1e6
GAP = 13.0  # between names in a chart


class Cost(NamedTuple):
    """A model's scores by the metric of the comparison, and its cost. best: it beats all smaller ones on validation."""

    name: str
    validation: float
    score: float
    low: float | None
    high: float | None
    parameters: int
    megabytes: float | None
    best: bool
    seconds: float | None = None
    pace: float | None = None  # documents per second
    machine: str | None = None


def costs(
    comparison: Comparison, sizes: Mapping[str, int | None], timings: Mapping[str, Timing] | None = None
) -> list[Cost]:
    """Returns the costs of the models that can be shipped, smallest first. sizes: bytes, by model."""
    models = [model for model in comparison.models if model.name in sizes]
    models.sort(key=lambda model: (sizes[model.name] or math.inf, -model.validation))
    found, top = [], -math.inf
    for model in models:
        size, timing = sizes[model.name], (timings or {}).get(model.name, Timing())
        found.append(
            Cost(
                *(model.name, model.validation, model.score, model.low, model.high, model.parameters),
                None if size is None else size / MEGABYTE,
                size is not None and model.validation > top,
                timing.train_seconds,
                timing.predict_documents_per_second,
                timing.machine,
            )
        )
        top = max(top, model.validation if size is not None else -math.inf)
    return found


class Point(NamedTuple):
    """A model in a chart: its position, and the height of its name at the side."""

    name: str
    x: float
    y: float
    beside: float


class Chart(NamedTuple):
    """Scores against one cost on a logarithmic axis. across, up: positions and labels of the axis marks."""

    title: str
    points: list[Point]
    across: list[tuple[float, str]]
    up: list[tuple[float, str]]


WIDTH, HEIGHT = 250.0, 190.0  # of the drawing; the names are to the right of it
LEFT, TOP, BOTTOM = 34.0, 26.0, 168.0


def chart(title: str, values: Mapping[str, float], scores: Mapping[str, float], marks: Sequence[float]) -> Chart:
    """Returns the chart. values: the cost of each model; marks: round scores for the axis."""
    logs = [math.log10(value) for value in values.values()]
    low, high = min(logs) - 0.1, max(logs) + 0.1
    ends = min([*scores.values(), *marks]), max([*scores.values(), *marks])

    def x(value: float) -> float:
        return round(LEFT + (math.log10(value) - low) / (high - low) * (WIDTH - LEFT), 1)

    def y(score: float) -> float:
        return round(BOTTOM - (score - ends[0]) / ((ends[1] - ends[0]) or 1) * (BOTTOM - TOP), 1)

    names = sorted(values, key=lambda name: y(scores[name]))
    beside = spaced([y(scores[name]) for name in names])
    points = [Point(name, x(values[name]), y(scores[name]), at) for name, at in zip(names, beside, strict=True)]
    across = [(x(one), f"{one:,g}") for one in round_numbers(low, high)]
    return Chart(title, points, across, [(y(mark), f"{100 * mark:g}") for mark in marks])


def spaced(places: Sequence[float], gap: float = GAP) -> list[float]:
    """Returns ascending positions moved at least `gap` apart, near where they were."""
    moved: list[float] = []
    for place in places:
        moved.append(max(place, moved[-1] + gap) if moved else place)
    over = max(0.0, moved[-1] - max(HEIGHT - 6, places[-1])) if moved else 0.0
    shift = max(over, sum(b - a for a, b in zip(places, moved, strict=True)) / max(len(moved), 1))
    return [round(place - shift, 1) for place in moved]


def round_numbers(low: float, high: float, most: int = 4) -> list[float]:
    """Returns at most `most` round numbers whose logarithms are in [low, high]."""
    for factors in (range(10, 100, 5), (10, 15, 20, 30, 50, 70), (10, 20, 50), (10, 30), (10,)):
        found = [
            factor / 10 * 10.0**power
            for power in range(math.floor(low), math.ceil(high) + 1)
            for factor in factors
            if low <= math.log10(factor / 10 * 10.0**power) <= high
        ]
        if len(found) <= most:
            break
    return found[:: math.ceil(len(found) / most)] if found else [float(f"{10 ** ((low + high) / 2):.1g}")]

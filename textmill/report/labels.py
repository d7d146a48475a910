"""Labels in words: which look wrong, and what more of them would bring."""

import math
from pathlib import Path
from typing import NamedTuple

from textmill.judging.metrics import METRICS
from textmill.records.curve import Curve, Forecast
from textmill.records.suspects import Suspects
from textmill.report.numbers import count, points

WORDS = {2: "twice", 4: "four times"}


def suspects_line(found: Suspects, table: Path) -> str:
    """Returns the line about suspicious labels, or why there are none to judge."""
    if not found.judged:
        why = "too few, grouped, or without words"
        return f"cannot say which labels look wrong: the {count(found.documents)} documents are {why}"
    if not found.listed:
        return f"none of {count(found.judged)} labels looks wrong"
    return f"{table} lists the {count(found.listed)} most suspicious of {count(found.judged)} labels"


def curve_line(curve: Curve) -> str:
    """Returns what twice the labels would bring, or why that is unknown."""
    if not curve.forecasts:
        return f"what more labels would bring is unknown: {curve.no_forecast}"
    first, *_ = curve.forecasts
    return f"{WORDS[first.times]} the labels would bring about {gain(curve, first)}"


class CurvePositions(NamedTuple):
    """A curve in positions: across, the logarithm of the documents; up, the score."""

    across: tuple[float, float]
    up: list[float]  # all scores that must fit
    marks: list[tuple[float, int]]  # positions and documents
    draws: list[tuple[float, float]]
    means: list[tuple[float, float]]
    forecasts: list[tuple[float, Forecast]]


def curve_positions(curve: Curve) -> CurvePositions:
    """Returns the positions of a curve that has sizes."""
    means = [(math.log2(size.rows), size.mean) for size in curve.sizes]
    draws = [(math.log2(size.rows), score) for size in curve.sizes for score in size.scores]
    last = means[-1][0]
    forecasts = [(last + math.log2(one.times), one) for one in curve.forecasts]
    marks = [(math.log2(size.rows), size.rows) for size in curve.sizes]
    marks += [(place, one.times * curve.sizes[-1].rows) for place, one in forecasts]
    up = [score for _, score in draws] + [end for _, one in forecasts for end in (one.low, one.high)]
    return CurvePositions((marks[0][0] - 0.2, marks[-1][0] + 0.2), up, marks, draws, means, forecasts)


def gain(curve: Curve, found: Forecast) -> str:
    """Returns a forecast relative to the score now: '+1.2 points of accuracy (+0.4 to +2.0)'."""
    score, low, high = (points(one - curve.now) for one in (found.score, found.low, found.high))
    return f"{score} points of {METRICS[str(curve.metric)].title} ({low} to {high})"

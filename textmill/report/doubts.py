"""What there is to doubt in a comparison, in words: the same in the terminal and on the page."""

from collections.abc import Iterable

from textmill.judging.doubts import (
    BehindLinear,
    CannotTell,
    Doubt,
    FewUnits,
    HardlyTrained,
    KeptEarly,
    NoBetterThanAlways,
    StillImproving,
    TooGood,
    Unsolved,
)
from textmill.judging.metrics import METRICS
from textmill.report.numbers import count, decimals, percent, points


def lines(doubts: Iterable[Doubt]) -> list[str]:
    """A line for each model that something is said of, one for the baseline, and one for the splits."""
    by_subject: dict[str, list[str]] = {}
    for doubt in doubts:
        subject, told = _told(doubt)
        by_subject.setdefault(subject, []).append(told)
    return [f"{subject}: {'; '.join(told)}" for subject, told in by_subject.items()]


def _told(doubt: Doubt) -> tuple[str, str]:
    """Who or what it is about, and what is said of that."""
    match doubt:
        case HardlyTrained(model, learned):
            loss = percent(1 - learned, 0)
            return model, f"hardly trained, its loss ended at {loss} of guessing's; raise train.updates"
        case KeptEarly(model, epoch):
            told = f"validation chose epoch {epoch}, in which it had hardly begun to learn"
            return model, f"{told}; a larger validation split chooses better"
        case StillImproving(model, epochs):
            told = f"still improving when it ended, after {_counted(epochs, 'epoch')}"
            return model, f"{told}; raise epochs, or train.updates where that sets them"
        case BehindLinear(model, linear, difference):
            return model, f"{decimals(100 * difference, 1)} points under {linear} on validation"
        case Unsolved(model, iterations):
            return model, f"its optimum was not reached in {_counted(iterations, 'iteration')}; lower c"
        case NoBetterThanAlways(models, label, score, rows, metric, imbalanced):
            subject = f"no better than always “{label[:20]}” ({percent(score)} {METRICS[metric].title})"
            subject += f", as far as {_counted(rows, 'test document')} can tell"
            return subject, ", ".join(models) + (_advice(metric) if imbalanced else "")
        case CannotTell(split, rows, difference):
            told = f"{_counted(rows, 'document')} cannot tell models apart that differ by less than about "
            return split, told + f"{decimals(100 * difference, 0)} points"
        case TooGood(networks, others):
            told = f"networks score {_range(networks)} points more there than on test, since it chose their epochs"
            return "validation", told + (f"; other models {_range(others)}" if others else "")
        case FewUnits(split, by, units, effective):
            return split, _few(split, by, units, effective)


def _range(ends: tuple[float, float]) -> str:
    low, high = map(points, ends)
    return low if low == high else f"{low} to {high}"


def _few(split: str, by: str, units: int, effective: float) -> str:
    if units == 1:
        told = f"all in one {by}, so how far luck moves its scores cannot be told, and no model is called better"
    else:
        equal = f", worth {decimals(effective, 1)} of equal size" if effective < units - 0.5 else ""
        told = f"{_counted(units, by)}{equal}: too few for intervals to be relied on"
    return f"{told}; raise split.{split}, or get more data"


def _advice(metric: str) -> str:
    """What there is, for params may have it already: a comparison does not know how its networks were weighted."""
    keys = ["compare.metric: f1_macro"] if metric != "f1_macro" else []
    keys.append("for networks train.class_weights: balanced")
    return f"; what weighs rare classes more: {', and '.join(keys)}"


def _counted(number: int, thing: str) -> str:
    return f"{count(number)} {thing}{'' if number == 1 else 's'}"

"""Doubts about a comparison in words, the same in the terminal and on the page."""

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
    """Returns one line for each model with doubts, one for the baseline, and one for each split."""
    by_subject: dict[str, list[str]] = {}
    for doubt in doubts:
        subject, reason = _worded(doubt)
        by_subject.setdefault(subject, []).append(reason)
    return [f"{subject}: {'; '.join(reasons)}" for subject, reasons in by_subject.items()]


def _worded(doubt: Doubt) -> tuple[str, str]:
    """Returns the subject of a doubt, and what there is to say about it."""
    match doubt:
        case HardlyTrained(model, learned):
            loss = percent(1 - learned, 0)
            return model, f"hardly trained: its loss ended at {loss} of guessing's; raise train.updates"
        case KeptEarly(model, epoch):
            reason = f"validation chose epoch {epoch}, when it had hardly begun to learn"
            return model, f"{reason}; use a larger validation split"
        case StillImproving(model, epochs):
            reason = f"still improving at the end, after {_counted(epochs, 'epoch')}"
            return model, f"{reason}; raise epochs, or train.updates if that is set"
        case BehindLinear(model, linear, difference):
            return model, f"{decimals(100 * difference, 1)} points below {linear} on validation"
        case Unsolved(model, iterations):
            return model, f"did not converge in {_counted(iterations, 'iteration')}; lower c"
        case NoBetterThanAlways(models, label, score, rows, metric, imbalanced):
            subject = f"no better than always “{label[:20]}” ({percent(score)} {METRICS[metric].title})"
            subject += f", as far as {_counted(rows, 'test document')} can show"
            return subject, ", ".join(models) + (_advice(metric) if imbalanced else "")
        case CannotTell(split, rows, difference):
            documents = _counted(rows, "document")
            return split, f"{documents} cannot show differences under about {decimals(100 * difference, 0)} points"
        case TooGood(networks, others):
            reason = f"networks score {_range(networks)} points more than on test, because it chose their epochs"
            return "validation", reason + (f"; other models {_range(others)}" if others else "")
        case FewUnits(split, by, units, effective):
            return split, _few(split, by, units, effective)


def _range(ends: tuple[float, float]) -> str:
    low, high = map(points, ends)
    return low if low == high else f"{low} to {high}"


def _few(split: str, by: str, units: int, effective: float) -> str:
    if units == 1:
        reason = f"all in one {by}, so the luck in its scores is unknown, and no model is called better"
    else:
        equal = f", worth {decimals(effective, 1)} of equal size" if effective < units - 0.5 else ""
        reason = f"{_counted(units, by)}{equal}: too few for reliable intervals"
    return f"{reason}; raise split.{split}, or get more data"


def _advice(metric: str) -> str:
    """Returns the keys that may help; params.yaml may have set them: a comparison does not know class weights."""
    keys = ["compare.metric: f1_macro"] if metric != "f1_macro" else []
    keys.append("for networks train.class_weights: balanced")
    return f"; to give rare classes more weight: {', and '.join(keys)}"


def _counted(number: int, thing: str) -> str:
    return f"{count(number)} {thing}{'' if number == 1 else 's'}"

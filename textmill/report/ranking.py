"""How well a model ranks documents: ROC curves, and precision against recall."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from textmill.parquet import read_parquet
from textmill.records.outcome import PREDICTIONS, Outcome

POINTS = 60  # of a curve

Points = list[tuple[float, float]]


class Ranking(NamedTuple):
    """Points of both curves."""

    roc: Points  # false positive rate and true positive rate
    precision: Points  # recall and precision


class Curves(NamedTuple):
    """Both curves of one class against the rest, in the order of a falling threshold: arrays (T,), shares."""

    wrong: NDArray[np.float64]  # false positive rate
    recall: NDArray[np.float64]
    precision: NDArray[np.float64]


def rankings(models: Mapping[str, Outcome], labels: Sequence[str]) -> dict[str, Ranking]:
    """Returns the curves of each model's shipped seed: of the second of two classes, or the mean over more classes.

    Classes that no test document, or every one, belongs to have no curve; a model without any is left out.
    """
    positive = labels[1:] if len(labels) == 2 else labels
    found = {}
    for name, model in models.items():
        table = read_parquet(model.folder / PREDICTIONS, columns=["label", *(f"p:{label}" for label in positive)])
        each = []
        for label in positive:
            held = (table["label"] == label).to_numpy()
            if 0 < held.sum() < len(held):
                each.append(curves(held, table[f"p:{label}"].to_numpy().astype(np.float64)))
        if each:
            found[name] = thinned(each[0]) if len(each) == 1 else mean(each)
    return found


def curves(held: NDArray[np.bool_], scores: NDArray[np.float64]) -> Curves:
    """held: which documents are of the class, (N,); scores: how probable that is, (N,). Equal scores are one point."""
    order = np.argsort(-scores, kind="stable")
    last = np.flatnonzero(np.diff(scores[order], append=np.inf))
    true = np.cumsum(held[order])[last]
    false = last + 1 - true
    return Curves(false / (~held).sum(), true / held.sum(), true / (true + false))


def thinned(one: Curves) -> Ranking:
    """Returns at most POINTS of the curves' points, with the first and the last."""
    count = len(one.recall)
    kept = np.unique(np.linspace(0, count - 1, min(POINTS, count)).round().astype(int))
    wrong, recall, precision = (column[kept] for column in one)
    return Ranking([(0.0, 0.0), *_points(wrong, recall)], _points(recall, precision))


def mean(each: Iterable[Curves]) -> Ranking:
    """Returns the mean of curves of several classes, each counting the same: of recall at equal false positive rates,
    and of precision at equal recall (the precision where a falling threshold first reaches that recall).

    Source: vertical averaging, Fawcett 2006. The points of ROC are denser near 0, where curves of many classes rise.
    """
    wrong, recall = np.linspace(0, 1, POINTS) ** 3, np.linspace(0, 1, POINTS)
    found = list(each)
    rates = [np.interp(wrong, np.append(0, one.wrong), np.append(0, one.recall)) for one in found]
    precisions = [one.precision[np.searchsorted(one.recall, recall - 1e-12)] for one in found]
    return Ranking([(0.0, 0.0), *_points(wrong, np.mean(rates, axis=0))], _points(recall, np.mean(precisions, axis=0)))


def _points(across: Iterable[float], up: Iterable[float]) -> Points:
    return [(round(float(x), 4), round(float(y), 4)) for x, y in zip(across, up, strict=True)]

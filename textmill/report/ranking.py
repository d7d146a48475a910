"""How well a model ranks the documents of two classes: its ROC curve, and precision against recall."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from textmill.parquet import read_parquet
from textmill.records.outcome import PREDICTIONS, Outcome

POINTS = 60  # of a curve


class Ranking(NamedTuple):
    """Points of both curves, in the order of a falling threshold."""

    roc: list[tuple[float, float]]  # share of the other class, and of the class, that is called the class
    precision: list[tuple[float, float]]  # recall and precision


def rankings(models: Mapping[str, Outcome], labels: Sequence[str]) -> dict[str, Ranking]:
    """Of the second of two classes by the shipped seeds; none of more classes, or where one has no test document."""
    if len(labels) != 2:
        return {}
    found, positive = {}, labels[1]
    for name, model in models.items():
        table = read_parquet(model.folder / PREDICTIONS, columns=["label", f"p:{positive}"])
        held = (table["label"] == positive).to_numpy()
        if 0 < held.sum() < len(held):
            found[name] = ranking(held, table[f"p:{positive}"].to_numpy().astype(np.float64))
    return found


def ranking(held: NDArray[np.bool_], scores: NDArray[np.float64]) -> Ranking:
    """held: which documents are of the class, (N,); scores: how probable that is, (N,). Equal scores are one point."""
    order = np.argsort(-scores, kind="stable")
    last = np.flatnonzero(np.diff(scores[order], append=np.inf))
    true = np.cumsum(held[order])[last]
    false = last + 1 - true
    kept = np.unique(np.linspace(0, len(last) - 1, min(POINTS, len(last))).round().astype(int))
    recall, wrong, precision = true / held.sum(), false / (~held).sum(), true / (true + false)
    roc = [(0.0, 0.0), *zip(wrong[kept].round(4).tolist(), recall[kept].round(4).tolist(), strict=True)]
    return Ranking(roc, list(zip(recall[kept].round(4).tolist(), precision[kept].round(4).tolist(), strict=True)))

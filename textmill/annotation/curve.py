"""How a model's score on the test split grows with its training documents: nested parts of train, drawn several times.

All parts are in the ids of one tokenizer, which was learned from all of train. That matters little: forecasts from such
parts held as often where twice the documents had a tokenizer of their own (`demos/more_labels.py`).
"""

from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, cast

import numpy as np

from textmill import tally
from textmill.annotation.forecast import LAST, forecast
from textmill.annotation.kept import ByMetric, Kept
from textmill.errors import DataError
from textmill.judging.metrics import METRICS
from textmill.models import ModelEntry
from textmill.records.curve import Curve, Size
from textmill.text.encoding import Encoded
from textmill.text.subset import subset
from textmill.training.task import Task

SHARES = (16, 8, 4, 2, 1)  # of train: 1 / 16, ...
DRAWS = 5  # of each part but the whole
FEWEST = 50  # documents of the smallest part that is fitted
PIECES = 20  # groups or different texts of train: of fewer the draws are too much alike
TIMES = (2, 4)  # as many documents as train has


def measure(
    model: ModelEntry, data: Encoded, validation: Encoded, test: Encoded, task: Task, pieces: np.ndarray, metric: str,
    kept: Kept,
) -> list[Size]:  # fmt: skip
    """The scores of each size, ascending; the last is all of train, and its score that of the model's first seed.

    pieces: int (N,), of the training documents: those of a number are drawn together. kept: scores of fits that were
    made before. Sizes that are too small for the classes, or for the model, are left out.
    """
    documents, settings = len(data.labels), cast(Any, model.settings)
    least = max(FEWEST, 2 * len(np.unique(data.labels)))
    orders = [nested(pieces, data.labels, np.random.default_rng([task.seed, draw])) for draw in range(DRAWS)]
    seed = min(settings.seeds) if settings else task.seed

    def scored(order: np.ndarray, seed: int) -> ByMetric:
        part = subset(data, np.sort(order))
        fitted = model.family.fit(model.config, settings, part, validation, replace(task, seed=seed % 2**32))
        counts = tally.count(test.labels, fitted.model.predict_proba(test.docs).argmax(1), task.classes)
        return {name: round(float(one.score(*counts)), 6) for name, one in METRICS.items()}

    sizes = []
    for rows in (documents // share for share in SHARES):
        drawn = orders if rows < documents else orders[:1]
        if rows < least:
            continue
        each = []
        with suppress(DataError):  # of so few documents it cannot learn
            for draw, order in enumerate(drawn):
                fit = partial(scored, order[:rows], seed + draw)
                each.append(kept.get(f"{rows} documents, draw {draw}, seed {seed}", fit)[metric])
        if each:
            sizes.append(Size(rows=rows, scores=each))
    return sizes


def nested(pieces: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """An order of documents, int (N,), piece after piece; a document of each class comes first."""
    known, piece = np.unique(pieces, return_inverse=True)
    order = rng.permutation(len(piece))  # within a piece, too: there may be one alone
    order = order[np.argsort(rng.permutation(len(known))[piece[order]], kind="stable")]
    first = np.unique(labels[order], return_index=True)[1]  # a document of each class, or it could not be fitted
    return np.concatenate([order[first], np.delete(order, first)])


def with_forecasts(sizes: list[Size], metric: str, by: str, alpha: float, pieces: int) -> Curve:
    """The curve with what more documents would bring, or with why that cannot be told. pieces: how many train has."""
    curve = Curve(metric=metric, by=by, sizes=sizes)
    if pieces < PIECES:
        return curve.model_copy(update={"no_forecast": "train has too few groups"})
    if len(sizes) < LAST:
        return curve.model_copy(update={"no_forecast": "train has too few documents"})
    found = [forecast(sizes, times, alpha) for times in TIMES]
    told = [one for one in found if not isinstance(one, str)]
    return curve.model_copy(update={"forecasts": told} if told else {"no_forecast": found[0]})

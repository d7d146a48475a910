"""Learning curves: a model's test score by the number of training documents, from nested parts drawn several times.

All parts use one tokenizer, fitted on all of train. That matters little: forecasts were right as often when twice the
documents had a tokenizer fitted on them (`demos/more_labels.py`).
"""

from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, cast

import numpy as np

from textmill import tally
from textmill.annotation.forecast import LAST, forecast
from textmill.annotation.score_cache import ByMetric, ScoreCache
from textmill.errors import DataError, TooRareError
from textmill.judging.metrics import METRICS
from textmill.models import ModelEntry
from textmill.records.curve import Curve, Size
from textmill.text.encoding import Encoded
from textmill.text.subset import subset
from textmill.training.task import Task

SHARES = (16, 8, 4, 2, 1)  # sizes: 1 / 16 of train, ...
DRAWS = 5  # draws of each size except the whole
FEWEST = 50  # documents in the smallest part that is fitted
PIECES = 20  # groups or different texts in train; with fewer, the draws are too similar
TIMES = (2, 4)  # forecasts are for 2 and 4 times the documents of train


def measure(
    model: ModelEntry, data: Encoded, validation: Encoded, test: Encoded, task: Task, pieces: np.ndarray, metric: str,
    cache: ScoreCache,
) -> list[Size]:  # fmt: skip
    """Returns the scores of each size, ascending; the last size is all of train, scored with the model's first seed.

    pieces: int (N,), a number for each training document; documents with the same number are drawn together. kept:
    scores of earlier fits. Sizes that are too small for the classes or the model are left out.
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
        with suppress(DataError, TooRareError):  # too few documents to fit the model
            for draw, order in enumerate(drawn):
                fit = partial(scored, order[:rows], seed + draw)
                each.append(cache.get(f"{rows} documents, draw {draw}, seed {seed}", fit)[metric])
        if each:
            sizes.append(Size(rows=rows, scores=each))
    return sizes


def nested(pieces: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Returns a random order of documents, int (N,), piece by piece, with a document of each class first."""
    known, piece = np.unique(pieces, return_inverse=True)
    order = rng.permutation(len(piece))  # also within pieces: there may be only one
    order = order[np.argsort(rng.permutation(len(known))[piece[order]], kind="stable")]
    first = np.unique(labels[order], return_index=True)[1]  # a model needs a document of each class
    return np.concatenate([order[first], np.delete(order, first)])


def with_forecasts(sizes: list[Size], metric: str, by: str, alpha: float, pieces: int) -> Curve:
    """Returns the curve with forecasts for more documents, or why there are none. pieces: their number in train."""
    curve = Curve(metric=metric, by=by, sizes=sizes)
    if pieces < PIECES:
        return curve.model_copy(update={"no_forecast": "train has too few groups"})
    if len(sizes) < LAST:
        return curve.model_copy(update={"no_forecast": "train has too few documents"})
    found = [forecast(sizes, times, alpha) for times in TIMES]
    forecasts = [one for one in found if not isinstance(one, str)]
    return curve.model_copy(update={"forecasts": forecasts} if forecasts else {"no_forecast": found[0]})

"""Attributions of a linear model: the terms of its sum."""

from typing import cast

import numpy as np

from textmill.models.linear import Linear
from textmill.text.ngrams import count, weigh
from textmill.text.ragged import UNK, Ragged
from textmill.training.calibration import Calibrated


def weights(calibrated: Calibrated, ids: np.ndarray, label: int) -> tuple[np.ndarray, float]:
    """Returns what each id adds to the label's logit, float64 (T,) of ids (T,), and the logit without any.

    An n-gram's contribution is shared equally among its occurrences and their ids. With two classes the logit is the
    log-odds; with more, it is that of one class against the rest ('nb'), or the difference from the mean of all classes
    ('tfidf').
    """
    model = cast("Linear", calibrated.model)
    table, bias = model.weights.astype(np.float64), model.bias.astype(np.float64)
    if model.task.classes == 2:
        row, start = table[0] * (2 * label - 1), bias[0] * (2 * label - 1)
    elif model.config.weighting == "nb":
        row, start = table[label], bias[label]
    else:
        row, start = table[label] - table.mean(0), bias[label] - bias.mean()
    counts = count(Ragged(ids, np.array([0, len(ids)])), model.keys, model.task.vocabulary)
    worth = np.zeros(len(row))  # of one occurrence of each n-gram
    weighed = weigh(counts, model.scale, model.config.weighting)
    worth[counts.columns] = weighed.data / counts.data * row[counts.columns]
    added, before = np.zeros(len(ids)), 0
    for order, keys in enumerate(model.keys, 1):
        if len(ids) >= order and len(keys):
            grams = np.lib.stride_tricks.sliding_window_view(ids.astype(np.int64), order)  # (T - order + 1, order)
            key = grams @ model.task.vocabulary ** np.arange(order)[::-1]
            place = np.minimum(np.searchsorted(keys, key), len(keys) - 1)
            found = np.flatnonzero((grams != UNK).all(1) & (keys[place] == key))
            for shift in range(order):
                added[found + shift] += worth[before + place[found]] / order
        before += len(keys)
    return added / calibrated.temperature, float(start) / calibrated.temperature

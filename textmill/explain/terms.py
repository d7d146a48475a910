"""The n-grams with the largest weights for each class of a linear model."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np

from textmill import bundle
from textmill.files import read_json
from textmill.models.linear import Linear
from textmill.records.terms import Term, Terms
from textmill.text.ragged import SPECIALS

MOST = 20  # per class


def bundle_terms(folder: Path) -> Terms:
    """Returns a bundle's terms, if its model is a sum over n-grams. Raises ArtifactError if a file is damaged."""
    if bundle.read_config(folder).model["family"] != "linear":
        return Terms({})
    config, calibrated = bundle.read(folder)
    names = tokens(read_json(folder / bundle.TOKENIZER))
    return strongest(cast(Linear, calibrated.model), calibrated.temperature, names.__getitem__, config.labels)


def tokens(spec: Mapping[str, Any]) -> dict[int, str]:
    """Returns the token of each id in a tokenizer's file, without importing the tokenizer's module."""
    if "vocabulary" in spec:
        return dict(enumerate(spec["vocabulary"]))
    return {number + SPECIALS: token for token, number in spec["tokenizers"]["model"]["vocab"].items()}


def strongest(
    model: Linear, temperature: float, token: Callable[[int], str], labels: Sequence[str], most: int = MOST
) -> Terms:
    """Returns what each n-gram adds to a class's log-odds if a text has it once, at the model's temperature.

    With two classes, log-odds are against the other class. With more, they are of one class against the rest ('nb'), or
    the difference from the mean of all classes ('tfidf', where a text's length and other n-grams reduce them). token:
    returns an id's token.
    """
    table = model.weights.astype(np.float64)
    if model.config.weighting == "tfidf":
        table = table * model.scale
    if len(labels) == 2:
        table = np.concatenate([-table, table])
    elif model.config.weighting == "tfidf":
        table = table - table.mean(0)
    ends, found = np.cumsum([len(keys) for keys in model.keys]), {}
    for label, row in zip(labels, table / temperature, strict=True):
        best = np.argsort(-row, kind="stable")[:most]
        found[label] = [
            Term(text=_text(int(column), model, ends, token), weight=round(float(row[column]), 4))
            for column in best[row[best] > 0]
        ]
    return Terms(found)


def _text(column: int, model: Linear, ends: np.ndarray, token: Callable[[int], str]) -> str:
    """Returns the tokens of an n-gram. Its key is their ids as digits in base `vocabulary`."""
    order = int(np.searchsorted(ends, column, side="right"))
    key = int(model.keys[order][column - (ends[order - 1] if order else 0)])
    ids = [key // model.task.vocabulary**place % model.task.vocabulary for place in reversed(range(order + 1))]
    return " ".join(map(token, ids))

"""How much each token of a text contributes to a prediction.

Attributions are in log-odds of a label: 1.1 more makes it three times as likely, against all other labels together. A
method is a function of a model, ids and a class number, listed in METHODS.
"""

from collections.abc import Callable
from difflib import get_close_matches
from typing import Any, NamedTuple

import numpy as np

from textmill.classifier import Classifier
from textmill.errors import ParamsError
from textmill.explain.gradients import gradients
from textmill.explain.occlusion import occlusion
from textmill.explain.weights import weights
from textmill.text.ragged import UNK
from textmill.training.calibration import Calibrated

Method = Callable[[Calibrated, np.ndarray, int], tuple[np.ndarray, float | None]]
METHODS: dict[str, Method] = {"weights": weights, "occlusion": occlusion, "gradients": gradients}


class Explanation(NamedTuple):
    """A text's tokens, and how much each counts for `label`, in log-odds (below 0: against it)."""

    label: str
    method: str
    probabilities: dict[str, float]  # of every label
    tokens: list[str]  # (T,)
    known: np.ndarray  # bool (T,): whether a token is in the vocabulary; to the model all others are the same
    attributions: np.ndarray  # float64 (T,); NaN where the model does not read
    start: float | None  # log-odds before any token, to which the attributions add up; None: they do not

    def _repr_html_(self) -> str:
        """Returns what a notebook shows."""
        from textmill.explain.html import as_html

        return as_html(self)


def explain(classifier: Classifier, text: str, label: str | None = None, method: str | None = None) -> Explanation:
    """Attributes the score of a label (by default the predicted one) to the tokens of a text.

    method: 'weights' (a linear model's own sum, and its default), 'occlusion' (the default of all others) or
    'gradients' (networks). Raises ParamsError for an empty text, an unknown label, or a method that does not fit the
    model.
    """
    if not text.strip():
        raise ParamsError("the text is empty: there is nothing to explain")
    labels, fitting = classifier.labels, classifier.model.METHODS
    if label is not None and label not in labels:
        close = get_close_matches(label, labels, n=1)
        raise ParamsError(
            f"label '{label}': " + (f"did you mean '{close[0]}'?" if close else f"expected one of {', '.join(labels)}")
        )
    if method is not None and method not in fitting:
        raise ParamsError(
            f"method '{method}': expected one of {', '.join(fitting)} for family {classifier.config.model['family']}"
        )
    method = method or fitting[0]
    docs = classifier.encode([text])
    probabilities = classifier.model.predict_proba(docs)[0]
    number = int(probabilities.argmax()) if label is None else labels.index(label)
    seen = classifier.model.positions(len(docs.ids))
    attributions = np.full(len(docs.ids), np.nan)
    attributions[seen], start = METHODS[method](classifier.model, docs.ids[seen], number)
    return Explanation(
        labels[number],
        method,
        dict(zip(labels, map(float, probabilities), strict=True)),
        classifier.tokens(text),
        docs.ids != UNK,
        attributions,
        start,
    )


def as_dict(explanation: Explanation) -> dict[str, Any]:
    """Returns an explanation as plain data; null where the model does not read."""
    facts = explanation._asdict()
    values = [None if np.isnan(value) else round(float(value), 6) for value in facts.pop("attributions")]
    tokens = zip(facts.pop("tokens"), facts.pop("known").tolist(), values, strict=True)
    keys = ("token", "known", "attribution")
    return {**facts, "tokens": [dict(zip(keys, token, strict=True)) for token in tokens]}

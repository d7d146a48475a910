"""Answers only confident texts: a promise about the share of wrong answers, and what came of it."""

import math
from typing import NamedTuple

from textmill.classifier import Averaged, Classifier
from textmill.confidence import DELTA, Step, least_risk, threshold
from textmill.errors import ParamsError


class Promise(NamedTuple):
    """At most `risk` of the answers are wrong. step: the threshold that ensures it; None if the model has none."""

    risk: float
    step: Step | None
    reason: str = ""  # why there is none

    @property
    def above(self) -> float:
        """The confidence that an answer must exceed."""
        return self.step.above if self.step else 1.0

    def line(self, answered: int, rows: int) -> str:
        """Returns a line about how many texts were answered."""
        if self.reason:
            return f"answered none of {rows:,}: {self.reason}"
        sure = f"with {_percent(1 - DELTA)} confidence, at most {_percent(self.risk)} of such answers are wrong"
        return f"answered {answered:,} of {rows:,} ({sure})"


def parse_risk(text: str) -> float:
    """Returns a share of wrong answers given on the command line. Raises ParamsError if it is not one."""
    try:
        risk = float(text)
    except ValueError:
        risk = math.nan
    if not 0 < risk < 1:
        raise ParamsError(f"--risk: expected a share of wrong answers between 0 and 1, such as 0.05, found {text!r}")
    return risk


def promise(classifier: Classifier | Averaged, risk: float) -> Promise:
    """Returns the promise that validation documents support. Raises ParamsError if the model has no calibration."""
    if isinstance(classifier, Averaged):
        raise ParamsError("--risk: an average of models has no thresholds; name one model, without --with")
    known = classifier.config.calibration
    if not known.documents:
        raise ParamsError(f"--risk: model '{classifier.config.name}' has no thresholds; train it again")
    if step := threshold(known.steps, risk):
        return Promise(risk, step)
    reason = f"its {known.documents:,} validation documents cannot show that at most {_percent(risk)} are wrong"
    if (least := least_risk(known.steps)) and (step := threshold(known.steps, least)):
        share = _percent(round(step.answered / known.documents, 2))
        return Promise(risk, None, f"{reason}; --risk {least:g} would answer {share} of these documents")
    return Promise(risk, None, f"{reason}, nor any other share")


def _percent(share: float) -> str:
    return f"{100 * share:g} %"

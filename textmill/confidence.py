"""Confidence: probabilities at a temperature, and the threshold above which a model answers."""

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from textmill.config import Section

DELTA = 0.05  # chance, over validation splits, that more answers are wrong than promised
STEPS = 20  # thresholds to try
ENOUGH = 300  # with this many validation documents the temperature is used without checking that it helps
RISKS = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2)  # reported in tables

Rows = Annotated[int, Field(ge=0, strict=True)]


class Step(Section):
    """A threshold on the validation split: how many answers are more confident, and how many of them are wrong."""

    above: Annotated[float, Field(ge=0, le=1)]
    answered: Rows
    wrong: Rows


class Calibration(Section):
    """What the validation split says about a model's probabilities. The defaults mean that it was not asked."""

    temperature: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    documents: Rows = 0
    log_loss: float | None = None  # on these documents, at the temperature
    steps: list[Step] = []

    @property
    def too_few(self) -> bool:
        """Whether the temperature stayed 1 because there are too few documents to find a better one."""
        return self.temperature == 1 and self.documents < ENOUGH


def at_temperature(probabilities: NDArray, temperature: float) -> NDArray:
    """Returns each row to the power of 1 / temperature, normalised: (N, C), float32.

    This is the softmax of logits / temperature (Guo et al. 2017). Each row keeps its most probable class and does not
    depend on other rows.
    """
    if temperature == 1:
        return probabilities
    rows = np.ascontiguousarray(probabilities, np.float64)
    best = rows.argmax(1)
    rows = (rows / rows.max(1, keepdims=True)) ** (1 / temperature)  # the largest is 1, so they cannot all vanish
    found = (rows / rows.sum(1, keepdims=True)).astype(np.float32)
    lost = np.flatnonzero(found.argmax(1) != best)  # rounded to a tie, which the first class would win
    found[lost, best[lost]] = np.nextafter(found[lost].max(1), np.float32(2))
    return found


def steps(confidence: NDArray, right: NDArray[np.bool_]) -> list[Step]:
    """Returns a step for each twentieth of the documents (N,), most confident first. `threshold` chooses among them."""
    falling, rows = np.sort(confidence)[::-1], len(confidence)
    found = []
    for number in range(1, STEPS + 1):
        rank = round(number * rows / STEPS)
        above = float(falling[rank]) if rank < rows else 0.0
        kept = confidence > above
        found.append(Step(above=above, answered=int(kept.sum()), wrong=int((kept & ~right).sum())))
    return found


def threshold(known: Sequence[Step], risk: float) -> Step | None:
    """Returns the step with the most answers of which at most `risk` are wrong, or None if no step qualifies.

    Over all draws of the validation split, the chance that more of a step's answers are wrong is at most DELTA, if its
    documents are independent draws from the same source as the ones answered later. Each of S steps is tested exactly,
    at DELTA / S (Angelopoulos et al. 2021, Learn then Test, with Bonferroni's correction).
    """
    held = (step for step in known if binomial_cdf(step.wrong, step.answered, risk) <= DELTA / len(known))
    return max(held, key=lambda step: step.answered, default=None)


def least_risk(known: Sequence[Step]) -> float | None:
    """Returns the smallest risk, in whole per cent, that has a threshold."""
    return next((percent / 100 for percent in range(1, 100) if threshold(known, percent / 100)), None)


def binomial_cdf(wrong: int, answered: int, risk: float) -> float:
    """Returns the chance of at most this many wrong answers if each is wrong with chance `risk`: a binomial sum."""
    k = np.arange(1, wrong + 1)
    terms = answered * np.log1p(-risk) + np.cumsum(np.append(0, np.log((answered - k + 1) / k * (risk / (1 - risk)))))
    largest = terms.max()
    return float(min(1, np.exp(largest) * np.exp(terms - largest).sum()))

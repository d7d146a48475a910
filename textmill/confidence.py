"""How sure an answer is: probabilities at a temperature, and the confidence above which answers are given."""

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from textmill.config import Section

DELTA = 0.05  # chance, over validation splits, that more answers are wrong than was promised
STEPS = 20  # thresholds that are looked at
ENOUGH = 300  # validation documents whose temperature is used without a look at what it gains
RISKS = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2)  # that are told

Rows = Annotated[int, Field(ge=0, strict=True)]


class Step(Section):
    """What a threshold gives on the validation split: answers whose confidence is above it, and how many are wrong."""

    above: Annotated[float, Field(ge=0, le=1)]
    answered: Rows
    wrong: Rows


class Calibration(Section):
    """What the validation split says of a model's probabilities. The defaults: nothing, for none was asked."""

    temperature: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    documents: Rows = 0
    log_loss: float | None = None  # on them, at the temperature
    steps: list[Step] = []

    @property
    def too_few(self) -> bool:
        """Whether the temperature stayed 1 because so few documents cannot tell a better one."""
        return self.temperature == 1 and self.documents < ENOUGH


def tempered(probabilities: NDArray, temperature: float) -> NDArray:
    """Each row to the power of 1 / temperature, as a distribution again: (N, C), float32.

    That is the softmax of logits / temperature (Guo et al. 2017). A row's most probable class stays the same, and a row
    does not depend on the others.
    """
    if temperature == 1:
        return probabilities
    rows = np.ascontiguousarray(probabilities, np.float64)
    best = rows.argmax(1)
    rows = (rows / rows.max(1, keepdims=True)) ** (1 / temperature)  # the largest is 1: not all can vanish
    found = (rows / rows.sum(1, keepdims=True)).astype(np.float32)
    lost = np.flatnonzero(found.argmax(1) != best)  # rounded to a tie, of which the first would win
    found[lost, best[lost]] = np.nextafter(found[lost].max(1), np.float32(2))
    return found


def steps(confidence: NDArray, right: NDArray[np.bool_]) -> list[Step]:
    """What is to know of documents (N,) to find a threshold: one step for each twentieth of them, the surest first."""
    falling, rows = np.sort(confidence)[::-1], len(confidence)
    found = []
    for number in range(1, STEPS + 1):
        rank = round(number * rows / STEPS)
        above = float(falling[rank]) if rank < rows else 0.0
        kept = confidence > above
        found.append(Step(above=above, answered=int(kept.sum()), wrong=int((kept & ~right).sum())))
    return found


def threshold(known: Sequence[Step], risk: float) -> Step | None:
    """The step that answers most and of whose answers at most `risk` are wrong; None if no step is that sure.

    Over all draws of the validation split, more of a step's answers are wrong with a chance of DELTA at most, if its
    documents are independent draws from those that are answered later. Of S steps each is tested at DELTA / S, exactly
    (Angelopoulos et al. 2021, Learn then Test, with Bonferroni's correction).
    """
    held = (step for step in known if at_most(step.wrong, step.answered, risk) <= DELTA / len(known))
    return max(held, key=lambda step: step.answered, default=None)


def least_risk(known: Sequence[Step]) -> float | None:
    """The smallest whole per cent that has a threshold."""
    return next((percent / 100 for percent in range(1, 100) if threshold(known, percent / 100)), None)


def at_most(wrong: int, answered: int, risk: float) -> float:
    """Chance of so few wrong answers, or fewer, if each is wrong with a chance of `risk`: a sum of binomial terms."""
    k = np.arange(1, wrong + 1)
    terms = answered * np.log1p(-risk) + np.cumsum(np.append(0, np.log((answered - k + 1) / k * (risk / (1 - risk)))))
    largest = terms.max()
    return float(min(1, np.exp(largest) * np.exp(terms - largest).sum()))

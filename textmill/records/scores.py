"""A model's scores on the test split."""

from typing import Annotated, ClassVar

from pydantic import Field

from textmill.config import Section
from textmill.records.record import Open, Record


class OfSeed(Open):
    """The headline scores of one seed."""

    seed: int


class OfClass(Section):
    """The scores of one class."""

    precision: float
    recall: float
    f1: float
    support: float  # documents of the class


class Binary(Section):
    """The scores of the second of two classes."""

    positive: str
    precision: float
    recall: float
    f1: float


class Bin(Section):
    """Predictions of similar confidence: the mean confidence, the share that is right, and their number."""

    confidence: float
    accuracy: float
    rows: int


class Tempered(Section):
    """What the temperature changed on the test split, for one seed."""

    seed: int
    temperature: float
    documents: int  # of the validation split
    too_few: bool  # to find a better temperature than 1
    log_loss_before: float
    log_loss: float
    calibration_error_before: float
    calibration_error: float


class Covered(Section):
    """The accuracy among the most confident `share` of documents."""

    share: float
    accuracy: float


class AtRisk(Section):
    """The answers if `risk` of them may be wrong: documents whose confidence is above a threshold, if there is one."""

    risk: float
    above: float | None
    answered: int
    wrong: int


class Scores(Record, Section):
    """All scores of the shipped seed, and the headline scores of every seed. None: undefined here."""

    FILE: ClassVar = "scores.json"
    STAGE: ClassVar = "evaluate"

    rows: int
    bundle_bytes: int | None = None  # what predicting needs, on disk
    accuracy: float
    precision_macro: float
    recall_macro: float
    f1_macro: float
    precision_weighted: float
    recall_weighted: float
    f1_weighted: float
    roc_auc: float | None
    log_loss: float
    calibration_error: float
    binary: Binary | None = None
    labels: list[str]
    classes: dict[str, OfClass]
    confusion: list[list[int]]  # rows: actual, columns: predicted
    calibration: list[Bin]
    seeds: Annotated[list[OfSeed], Field(min_length=1)]
    mean: dict[str, float | None]
    sd: dict[str, float | None]  # ddof = 1; None for one seed
    temperatures: list[Tempered] = []
    coverage: list[Covered] = []
    risks: list[AtRisk] = []
    least_risk: float | None = None  # the smallest, in whole per cent, that a threshold of the validation split keeps

    def of(self, seed: int) -> dict[str, float | None]:
        """Returns the headline scores of one seed."""
        return next(one.scores for one in self.seeds if one.seed == seed)

    def tempered(self, seed: int) -> Tempered | None:
        """Returns what the temperature of one seed changed."""
        return next((one for one in self.temperatures if one.seed == seed), None)

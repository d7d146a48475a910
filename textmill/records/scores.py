"""How a model scores on the test split."""

from typing import Annotated, ClassVar

from pydantic import Field

from textmill.config import Section
from textmill.records.record import Open, Record


class OfSeed(Open):
    """The headline scores of one seed."""

    seed: int


class OfClass(Section):
    """Of the answers that name a class, and of its documents."""

    precision: float
    recall: float
    f1: float
    support: float  # documents of the class


class Binary(Section):
    """Of the second of two classes."""

    positive: str
    precision: float
    recall: float
    f1: float


class Bin(Section):
    """Answers of about the same confidence: its mean, the share that was right, and how many they are."""

    confidence: float
    accuracy: float
    rows: int


class Tempered(Section):
    """What a temperature of the validation split changed on the test split, for one seed."""

    seed: int
    temperature: float
    documents: int  # of validation
    too_few: bool  # to tell a better temperature than 1
    log_loss_before: float
    log_loss: float
    calibration_error_before: float
    calibration_error: float


class Covered(Section):
    """Accuracy among the surest documents, which are this share of all."""

    share: float
    accuracy: float


class AtRisk(Section):
    """What is answered if `risk` of the answers may be wrong: those whose confidence is above a threshold, if any."""

    risk: float
    above: float | None
    answered: int
    wrong: int


class Scores(Record, Section):
    """All scores of the seed that is shipped, and the headline scores of every seed. None: it has no meaning here."""

    FILE: ClassVar = "scores.json"
    STAGE: ClassVar = "evaluate"

    rows: int
    bundle_bytes: int | None = None  # of what is shipped, on the disk
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
    least_risk: float | None = None  # in whole per cents, that a threshold of the validation split keeps

    def of(self, seed: int) -> dict[str, float | None]:
        """The headline scores of one seed."""
        return next(one.scores for one in self.seeds if one.seed == seed)

    def tempered(self, seed: int) -> Tempered | None:
        """What the temperature of one seed changed."""
        return next((one for one in self.temperatures if one.seed == seed), None)

"""A model's most confident mistakes."""

from typing import ClassVar

from pydantic import ConfigDict, RootModel

from textmill.config import Section
from textmill.records.record import Record


class Mistake(Section):
    """A wrongly predicted test document. The text may be truncated; `unknown` is a share of its tokens."""

    id: str
    text: str
    label: str
    prediction: str
    confidence: float
    tokens: int
    unknown: float


class Mistakes(Record, RootModel[list[Mistake]]):
    """Mistakes, the most confident first."""

    model_config = ConfigDict(strict=True, frozen=True)
    FILE: ClassVar = "errors.json"
    STAGE: ClassVar = "evaluate"

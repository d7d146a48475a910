"""Labels that look wrong."""

from typing import ClassVar

from textmill.config import Section
from textmill.records.record import Record

TABLE = "suspects.csv"


class Suspect(Section):
    """A document for which the models predict another label, with this probability. The text may be truncated."""

    id: str
    split: str
    label: str
    would_be: str
    probability: float
    text: str


class Suspects(Record, Section):
    """Of `documents` labelled ones `judged` could be judged; the table has `listed`, and `top` are its first."""

    FILE: ClassVar = "suspects.json"
    STAGE: ClassVar = "suspects"

    documents: int
    judged: int
    fitted: int  # documents that the largest fit was trained on
    drawn: bool  # whether these are a sample of what it could have been trained on
    listed: int
    top: list[Suspect]

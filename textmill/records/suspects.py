"""Labels that look wrong."""

from typing import ClassVar

from textmill.config import Section
from textmill.records.record import Record

TABLE = "suspects.csv"


class Suspect(Section):
    """A document for whose label the models would say another one, with this probability. The text may be cut."""

    id: str
    split: str
    label: str
    would_be: str
    probability: float
    text: str


class Suspects(Record, Section):
    """Of so many labelled documents so many could be judged; the table lists so many, `top` those at its head."""

    FILE: ClassVar = "suspects.json"
    STAGE: ClassVar = "suspects"

    documents: int
    judged: int
    fitted: int  # documents that the largest fit learned from
    drawn: bool  # whether these are not all that it might have learned from
    listed: int
    top: list[Suspect]

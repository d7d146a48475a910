"""Where a model errs: its accuracy in groups of test documents."""

from typing import Annotated, ClassVar

from pydantic import Field

from textmill.config import Section
from textmill.results.record import Record


class Group(Section):
    """Some documents, the share that was right, and its interval; None where there are no documents."""

    group: str
    rows: int
    accuracy: float | None
    low: float | None
    high: float | None
    shortest: Annotated[int | None, Field(alias="from")] = None  # in tokens, of groups by length
    longest: Annotated[int | None, Field(alias="to")] = None


class Groups(Record, Section):
    """Each way to group parts all documents."""

    FILE: ClassVar = "analysis.json"
    STAGE: ClassVar = "evaluate"

    length: list[Group]
    negation: list[Group]
    unknown: list[Group]

"""Where a model errs: its accuracy in slices of the test documents."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from textmill.config import Section
from textmill.records.record import Record


class Slice(Section):
    """Some documents, the share that is right, and its interval. None if there are too few documents or units.

    sign: -1 or 1 if the model is significantly worse or better here than on all other documents, else 0. The signs of
    all slices of a model hold jointly.
    """

    slice: str
    rows: int
    accuracy: float | None
    low: float | None
    high: float | None
    sign: Literal[-1, 0, 1] = 0
    shortest: Annotated[int | None, Field(alias="from")] = None  # in tokens, for slices by length
    longest: Annotated[int | None, Field(alias="to")] = None


class Slices(Record, Section):
    """Slices by each criterion; the slices of one criterion cover all documents."""

    FILE: ClassVar = "analysis.json"
    STAGE: ClassVar = "evaluate"

    length: list[Slice]
    negation: list[Slice]
    unknown: list[Slice]
    columns: dict[str, list[Slice]] = {}  # of the data, as params ask for

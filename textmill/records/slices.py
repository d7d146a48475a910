"""Where a model errs: its accuracy in slices of the test documents."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from textmill.config import Section
from textmill.records.record import Record


class Slice(Section):
    """Some documents, the share that was right, and its interval: None where documents, or units of them, are missing.

    sign: -1 or 1 where the model is worse or better there than on all other documents, 0 where that cannot be told; the
    verdicts of all slices of a model hold together.
    """

    slice: str
    rows: int
    accuracy: float | None
    low: float | None
    high: float | None
    sign: Literal[-1, 0, 1] = 0
    shortest: Annotated[int | None, Field(alias="from")] = None  # in tokens, of slices by length
    longest: Annotated[int | None, Field(alias="to")] = None


class Slices(Record, Section):
    """Each way to slice parts all documents."""

    FILE: ClassVar = "analysis.json"
    STAGE: ClassVar = "evaluate"

    length: list[Slice]
    negation: list[Slice]
    unknown: list[Slice]
    columns: dict[str, list[Slice]] = {}  # of the data, that params ask for

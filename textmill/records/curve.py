"""A model's score by the number of training documents."""

from typing import Annotated, ClassVar

from pydantic import Field

from textmill.config import Section
from textmill.records.record import Record


class Size(Section):
    """A number of training documents, and the score of each sample of that size."""

    rows: int
    scores: Annotated[list[float], Field(min_length=1)]

    @property
    def mean(self) -> float:
        """The mean over samples."""
        return sum(self.scores) / len(self.scores)


class Forecast(Section):
    """The expected score with `times` as many documents, and its interval."""

    times: int
    score: float
    low: float
    high: float


class Curve(Record, Section):
    """Sizes, ascending; the last is all of train. Empty if no curve was asked for. `no_forecast` says why not."""

    FILE: ClassVar = "curve.json"
    STAGE: ClassVar = "curve"

    metric: str | None = None
    by: str | None = None  # what is sampled: text or group
    sizes: list[Size] = []
    forecasts: list[Forecast] = []
    no_forecast: str | None = None

    @property
    def now(self) -> float:
        """The score with all training documents."""
        return self.sizes[-1].mean

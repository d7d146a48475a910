"""How a model's score grows with its training documents."""

from typing import Annotated, ClassVar

from pydantic import Field

from textmill.config import Section
from textmill.records.record import Record


class Size(Section):
    """A number of training documents, and the score of each draw of so many."""

    rows: int
    scores: Annotated[list[float], Field(min_length=1)]

    @property
    def mean(self) -> float:
        """Of the draws."""
        return sum(self.scores) / len(self.scores)


class Forecast(Section):
    """What so many times the documents would bring: the score, and the interval that it lies in."""

    times: int
    score: float
    low: float
    high: float


class Curve(Record, Section):
    """Sizes in ascending order, the last is all of train; none where no curve was asked for. `no_forecast` says why."""

    FILE: ClassVar = "curve.json"
    STAGE: ClassVar = "curve"

    metric: str | None = None
    by: str | None = None  # what is drawn: text or group
    sizes: list[Size] = []
    forecasts: list[Forecast] = []
    no_forecast: str | None = None

    @property
    def now(self) -> float:
        """The score with all that there is."""
        return self.sizes[-1].mean

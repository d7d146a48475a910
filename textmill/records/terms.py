"""What a linear model learned."""

from typing import ClassVar

from pydantic import ConfigDict, RootModel

from textmill.config import Section
from textmill.records.record import Record


class Term(Section):
    """An n-gram, its tokens joined by spaces, and its weight in the log-odds of a class."""

    text: str
    weight: float


class Terms(Record, RootModel[dict[str, list[Term]]]):
    """Terms by class, the highest weights first. Empty for a model that is not a sum over n-grams."""

    model_config = ConfigDict(strict=True, frozen=True)
    FILE: ClassVar = "terms.json"
    STAGE: ClassVar = "evaluate"

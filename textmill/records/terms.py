"""What a linear model learnt."""

from typing import ClassVar

from pydantic import ConfigDict, RootModel

from textmill.config import Section
from textmill.records.record import Record


class Term(Section):
    """An n-gram, its tokens with spaces between, and what it adds to the log-odds of a class."""

    text: str
    weight: float


class Terms(Record, RootModel[dict[str, list[Term]]]):
    """By class, those that speak most for it first; no class of a model that is no sum of n-grams."""

    model_config = ConfigDict(strict=True, frozen=True)
    FILE: ClassVar = "terms.json"
    STAGE: ClassVar = "evaluate"

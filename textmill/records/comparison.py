"""Which model is better, and how sure that is."""

from itertools import takewhile
from typing import ClassVar, Literal

from textmill.config import Section
from textmill.records.record import Open, Record

FEW_UNITS = 10  # effective ones: under it little can be told
DecidedBy = Literal["log_loss", "parameters", "name"]  # between equal validation scores
RARE = 10  # documents of a class: with so few, or fewer, each of them moves a macro average


class Baseline(Open):
    """What always answering the most common class scores, by metric."""

    label: str


class Entry(Open):
    """One model or ensemble: its score with an interval, and the mean of each headline score over its seeds.

    Intervals are None where the split has one unit.
    """

    name: str
    family: str
    tokenizer: str
    parameters: int
    members: list[str]  # of an ensemble
    validation: float
    validation_low: float | None
    validation_high: float | None
    wins: float | None  # share of resampled validation splits on which it is the best; None: an ensemble, not shipped
    score: float
    seeds: int
    sd: float | None  # of the seeds' scores
    low: float | None
    high: float | None
    gain_low: float | None  # lower end of the interval of what its score is above the baseline's


class Pair(Section):
    """The score of `a` minus that of `b`. The intervals of all pairs hold together; None where there is one unit."""

    a: str
    b: str
    difference: float
    low: float | None
    high: float | None
    least: float | None  # the smallest difference that could have been told from 0
    better: str | None  # None: a tie


class Power(Section):
    """What a split can tell. Units are what is independent of the rest: documents, equal ones as one, or groups."""

    rows: int
    by: Literal["document", "group"]
    units: int
    effective: float  # units of equal size that would tell as much
    least: float | None  # the smallest difference from the champion that would be told, in the middle of all pairs

    @property
    def little(self) -> bool:
        """Whether it has too few units for its intervals to be relied on."""
        return self.effective < FEW_UNITS


class Comparison(Record, Section):
    """All models, best on validation first, and all pairs of them."""

    FILE: ClassVar = "comparison.json"
    STAGE: ClassVar = "compare"

    dataset: str
    metric: str
    rows: int
    labels: list[str]
    absent: list[str]  # the labels that no test document has: macro averages are over the others
    rare: dict[str, int]  # test documents of each label that has few
    alpha: float
    validation: Power
    test: Power
    champion: str
    champion_by: str
    equal: list[str]  # the models that did as well as the champion on validation
    decided_by: DecidedBy | None  # what put it before these
    baseline: Baseline
    models: list[Entry]
    pairs: list[Pair]

    @property
    def standing(self) -> dict[str, list[str]]:
        """Where the champion stands on the test documents: the models it beats, ties with and loses to."""
        found: dict[str, list[str]] = {"beats": [], "ties": [], "loses": []}
        for pair in self.pairs:
            if self.champion in (pair.a, pair.b):
                other = pair.b if self.champion == pair.a else pair.a
                verb = {None: "ties", self.champion: "beats", other: "loses"}[pair.better]
                found[verb].append(other)
        return found

    @property
    def least(self) -> tuple[float, float] | None:
        """What it takes to tell the champion from the models that it ties with: the least and the most of them."""
        of = [pair for pair in self.pairs if self.champion in (pair.a, pair.b) and not pair.better]
        known = [pair.least for pair in of if pair.least is not None]
        return (min(known), max(known)) if known else None

    @property
    def ahead(self) -> list[Entry]:
        """The ensembles that did better than the champion on validation; shipping one means shipping all members."""
        return list(takewhile(lambda model: model.name != self.champion, self.models))

    @property
    def odds(self) -> list[Entry]:
        """The models that may be shipped, by how often each is the best on resampled validation splits, if known."""
        known = [model for model in self.models if model.wins is not None]
        return sorted(known, key=lambda model: -(model.wins or 0)) if len(known) > 1 else []

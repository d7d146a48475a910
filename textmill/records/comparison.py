"""Which model is better, and with what certainty."""

from itertools import takewhile
from typing import ClassVar, Literal

from textmill.config import Section
from textmill.records.record import Open, Record

FEW_UNITS = 10  # effective units; with fewer, intervals are unreliable
DecidedBy = Literal["log_loss", "parameters", "name"]  # between equal validation scores
RARE = 10  # documents of a class; with this many or fewer, each one moves a macro average


class Baseline(Open):
    """The scores of always predicting the most common class, by metric."""

    label: str


class Entry(Open):
    """A model or ensemble: its score with an interval, and the mean of each headline score over its seeds.

    Intervals are None if the split has one unit.
    """

    name: str
    family: str
    tokenizer: str
    parameters: int
    members: list[str]  # of an ensemble
    validation: float
    validation_low: float | None
    validation_high: float | None
    wins: float | None  # share of resampled validation splits on which it is best; None for ensembles (not shipped)
    score: float
    seeds: int
    sd: float | None  # of the scores of its seeds
    low: float | None
    high: float | None
    gain_low: float | None  # lower end of the interval of the score's difference from the baseline


class Pair(Section):
    """The score of `a` minus that of `b`. The intervals of all pairs hold jointly; None if there is one unit."""

    a: str
    b: str
    difference: float
    low: float | None
    high: float | None
    least: float | None  # the smallest difference that would be significant
    better: str | None  # None: a tie


class Power(Section):
    """What a split can show. Its independent units are documents (equal ones count as one) or groups."""

    rows: int
    by: Literal["document", "group"]
    units: int
    effective: float  # units of equal size that would show as much
    least: float | None  # the smallest significant difference from the champion, as the median of its pairs

    @property
    def little(self) -> bool:
        """Whether there are too few units for reliable intervals."""
        return self.effective < FEW_UNITS


class Comparison(Record, Section):
    """All models, best on validation first, and all pairs of them."""

    FILE: ClassVar = "comparison.json"
    STAGE: ClassVar = "compare"

    dataset: str
    metric: str
    rows: int
    labels: list[str]
    absent: list[str]  # labels without test documents; macro averages leave them out
    rare: dict[str, int]  # test documents of each label that has few
    alpha: float
    validation: Power
    test: Power
    champion: str
    champion_by: str
    equal: list[str]  # models with the champion's validation score
    decided_by: DecidedBy | None  # what put the champion before these
    baseline: Baseline
    models: list[Entry]
    pairs: list[Pair]

    @property
    def standing(self) -> dict[str, list[str]]:
        """The models that the champion beats, ties with and loses to on the test split."""
        found: dict[str, list[str]] = {"beats": [], "ties": [], "loses": []}
        for pair in self.pairs:
            if self.champion in (pair.a, pair.b):
                other = pair.b if self.champion == pair.a else pair.a
                verb = {None: "ties", self.champion: "beats", other: "loses"}[pair.better]
                found[verb].append(other)
        return found

    @property
    def least(self) -> tuple[float, float] | None:
        """The smallest and largest difference that would tell the champion from the models that it ties with."""
        of = [pair for pair in self.pairs if self.champion in (pair.a, pair.b) and not pair.better]
        known = [pair.least for pair in of if pair.least is not None]
        return (min(known), max(known)) if known else None

    @property
    def ahead(self) -> list[Entry]:
        """The ensembles that beat the champion on validation. Shipping one means shipping all its members."""
        return list(takewhile(lambda model: model.name != self.champion, self.models))

    @property
    def odds(self) -> list[Entry]:
        """The models that may be shipped, by how often each is best on resampled validation splits, if known."""
        known = [model for model in self.models if model.wins is not None]
        return sorted(known, key=lambda model: -(model.wins or 0)) if len(known) > 1 else []

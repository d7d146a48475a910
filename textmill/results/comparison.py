"""Which model is better, and how sure that is."""

from itertools import takewhile
from typing import ClassVar

from textmill.config import Section
from textmill.results.record import Open, Record


class Baseline(Open):
    """What always answering the most common class scores, by metric."""

    label: str


class Entry(Open):
    """One model or ensemble: its score with an interval, and the mean of each headline score over its seeds."""

    name: str
    family: str
    tokenizer: str
    parameters: int
    members: list[str]  # of an ensemble
    validation: float
    score: float
    seeds: int
    sd: float | None  # of the seeds' scores
    low: float
    high: float
    gain_low: float | None = None  # lower end of the interval of what its score is above the baseline's


class Pair(Section):
    """The score of `a` minus that of `b`."""

    a: str
    b: str
    difference: float
    low: float
    high: float
    test: str
    p: float
    p_holm: float
    better: str | None  # None: a tie


class Comparison(Record, Section):
    """All models, best on validation first, and all pairs of them."""

    FILE: ClassVar = "comparison.json"
    STAGE: ClassVar = "compare"

    dataset: str
    metric: str
    rows: int
    labels: list[str]
    absent: list[str] = []  # the labels that no test document has: macro averages are over the others
    alpha: float
    bootstrap: int
    champion: str
    champion_by: str
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
    def ahead(self) -> list[Entry]:
        """The ensembles that did better than the champion on validation; shipping one means shipping all members."""
        return list(takewhile(lambda model: model.name != self.champion, self.models))

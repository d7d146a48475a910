"""What a model says of a text, and how much of the text it knows."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from textmill.classifier import Averaged, Classifier

FLAGS = ("empty", "unknown")


class Answer(NamedTuple):
    """Of one text. A text that is empty, or of which nothing is known, has the scores that any such text has."""

    label: str | None  # None: too unsure
    shares: dict[str, float]  # the probability of each class
    empty: bool  # nothing but spaces
    unknown: float  # share of its tokens that the model does not know

    @property
    def note(self) -> str:
        """What a person should know before believing the label; empty if there is nothing."""
        if self.empty or self.unknown == 1:
            what = "an empty text" if self.empty else "no word of it is known to the model"
            return what if self.label is None else f"{what}: the label is a guess"
        return ""

    def cells(self) -> dict[str, Any]:
        """The columns that are added to a row."""
        shares = {f"p:{label}": round(share, 6) for label, share in self.shares.items()}
        return {"predicted": self.label, **shares, "empty": self.empty, "unknown": round(self.unknown, 4)}

    def words(self) -> list[str]:
        """The same as text."""
        shares = (f"{share:.6f}" for share in self.shares.values())
        return [self.label or "", *shares, str(self.empty).lower(), f"{self.unknown:.4f}"]


def added(labels: Sequence[str]) -> list[str]:
    """The names of `Answer.cells`."""
    return ["predicted", *(f"p:{label}" for label in labels), *FLAGS]


def answers(classifier: Classifier | Averaged, texts: Sequence[str], above: float | None = None) -> list[Answer]:
    """An answer for each text; one whose confidence is not above a threshold has no label."""
    probabilities, unknown = classifier.scores(texts)
    found = []
    for text, shares, share in zip(texts, probabilities, unknown.tolist(), strict=True):
        each = dict(zip(classifier.labels, shares.tolist(), strict=True))
        label = classifier.labels[int(shares.argmax())] if above is None or shares.max() > above else None
        found.append(Answer(label, each, not text.strip(), share))
    return found

"""A model's answer for a text, and how much of the text it knows."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from textmill.classifier import Averaged, Classifier

FLAGS = ("empty", "unknown")


class Answer(NamedTuple):
    """The answer for one text. Empty and entirely unknown texts get the scores that any such text gets."""

    label: str | None  # None: not confident enough
    shares: dict[str, float]  # the probability of each class
    empty: bool  # nothing but whitespace
    unknown: float  # share of its tokens that are not in the vocabulary

    @property
    def note(self) -> str:
        """A warning about the label; empty if there is none."""
        if self.empty or self.unknown == 1:
            what = "an empty text" if self.empty else "the model knows none of its words"
            return what if self.label is None else f"{what}: the label is a guess"
        return ""

    def cells(self) -> dict[str, Any]:
        """Returns the columns that are added to a row."""
        shares = {f"p:{label}": round(share, 6) for label, share in self.shares.items()}
        return {"predicted": self.label, **shares, "empty": self.empty, "unknown": round(self.unknown, 4)}

    def words(self) -> list[str]:
        """Returns the same as strings."""
        shares = (f"{share:.6f}" for share in self.shares.values())
        return [self.label or "", *shares, str(self.empty).lower(), f"{self.unknown:.4f}"]


def column_names(labels: Sequence[str]) -> list[str]:
    """Returns the names of `Answer.cells`."""
    return ["predicted", *(f"p:{label}" for label in labels), *FLAGS]


def answers(classifier: Classifier | Averaged, texts: Sequence[str], above: float | None = None) -> list[Answer]:
    """Returns an answer for each text. It has no label if its confidence does not exceed `above`."""
    probabilities, unknown = classifier.scores(texts)
    found = []
    for text, shares, share in zip(texts, probabilities, unknown.tolist(), strict=True):
        each = dict(zip(classifier.labels, shares.tolist(), strict=True))
        label = classifier.labels[int(shares.argmax())] if above is None or shares.max() > above else None
        found.append(Answer(label, each, not text.strip(), share))
    return found

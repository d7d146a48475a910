"""Classes that are probably the same: spelled differently, or with a typo."""

import re
from difflib import get_close_matches
from typing import NamedTuple

CLOSE = 0.85  # of difflib's ratio: good and goood have 0.89, positive and negative 0.75
TYPO_SHARE = 0.05  # a typo is at least this much rarer than the class that was meant
MOST = 1_000  # classes that are compared
BETWEEN = re.compile(r"(?<=\w)[\s_-]+(?=\w)")  # between words: not_spam and not spam


class SimilarLabel(NamedTuple):
    """A class, and the class that was probably meant."""

    label: str
    meant: str

    @property
    def case(self) -> bool:
        """Whether they differ only in case, which stops `clean`."""
        return self.label.casefold() == self.meant.casefold()


def similar_labels(labels: dict[str, int]) -> list[SimilarLabel]:
    """Returns the classes that are probably another, more common one. labels: their counts."""
    names = sorted(labels, key=lambda label: (-labels[label], label.casefold() != label, label))[:MOST]
    known: dict[str, str] = {}
    found = []
    for label in names:
        meant = known.setdefault(BETWEEN.sub(" ", label.casefold()), label)
        if meant == label:
            common = [other for other in known.values() if labels[label] <= TYPO_SHARE * labels[other]]
            near = get_close_matches(label, common, 1, CLOSE)
            meant = next((other for other in near if _digits(other) == _digits(label)), label)
        if meant != label:
            found.append(SimilarLabel(label, meant))
    return found


def _digits(label: str) -> list[str]:
    """Returns the numbers in a label: intent_1 and intent_2 are different classes."""
    return re.findall(r"\d+", label)

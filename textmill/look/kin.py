"""Classes that are probably one: written otherwise, or with a slip of the finger."""

import re
from difflib import get_close_matches
from typing import NamedTuple

CLOSE = 0.85  # of difflib's ratio: good and goood have 0.89, positive and negative 0.75
SLIP = 0.05  # a slip is this much rarer than what was meant, at least
MOST = 1_000  # classes that are compared
BETWEEN = re.compile(r"(?<=\w)[\s_-]+(?=\w)")  # words: not_spam and not spam


class Kin(NamedTuple):
    """A class, and the one that it probably is."""

    label: str
    meant: str

    @property
    def case(self) -> bool:
        """Whether they differ in case alone, which stops `clean`."""
        return self.label.casefold() == self.meant.casefold()


def kin_of(labels: dict[str, int]) -> list[Kin]:
    """Of classes with their counts, those that another one is likely to stand for: it is the commoner of the two."""
    names = sorted(labels, key=lambda label: (-labels[label], label.casefold() != label, label))[:MOST]
    known: dict[str, str] = {}
    found = []
    for label in names:
        meant = known.setdefault(BETWEEN.sub(" ", label.casefold()), label)
        if meant == label:
            common = [other for other in known.values() if labels[label] <= SLIP * labels[other]]
            near = get_close_matches(label, common, 1, CLOSE)
            meant = next((other for other in near if _digits(other) == _digits(label)), label)
        if meant != label:
            found.append(Kin(label, meant))
    return found


def _digits(label: str) -> list[str]:
    """intent_1 and intent_2 are two."""
    return re.findall(r"\d+", label)

"""The weakest classes and the largest confusions, shown where a model has too many classes to show all."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from textmill.records.scores import Scores

LISTED = 15
CLASSES = 60


class Confusion(NamedTuple):
    """How many documents of a class were predicted as another one, and which share of the class they are."""

    label: str
    prediction: str
    rows: int
    share: float


def largest(labels: Sequence[str], counts: Sequence[Sequence[int]], most: int = LISTED) -> list[Confusion]:
    """Returns the largest confusions of a matrix (K, K), rows: actual; among equal ones, larger shares first."""
    matrix = np.array(counts)
    of, wrong = matrix.sum(1), matrix - np.diag(np.diag(matrix))
    found = [
        Confusion(labels[a], labels[b], int(wrong[a, b]), float(wrong[a, b] / of[a])) for a, b in np.argwhere(wrong)
    ]
    return sorted(found, key=lambda one: (-one.rows, -one.share))[:most]


def weakest(scores: Scores, most: int = CLASSES) -> list[str]:
    """Returns the `most` classes with the lowest F1, in the order of the labels."""
    worst = sorted(scores.labels, key=lambda label: scores.classes[label].f1)[:most]
    return [label for label in scores.labels if label in set(worst)]

"""What stands for all classes of a model, where they are too many: the weakest, and the largest confusions."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from textmill.records.scores import Scores

LISTED = 15
CLASSES = 60


class Confusion(NamedTuple):
    """So many documents of a class that were taken for another one, and the share of the class that they are."""

    label: str
    prediction: str
    rows: int
    share: float


def largest(labels: Sequence[str], counts: Sequence[Sequence[int]], most: int = LISTED) -> list[Confusion]:
    """Those of a confusion matrix (K, K), rows: actual; of equal ones, those first that take more of their class."""
    matrix = np.array(counts)
    of, wrong = matrix.sum(1), matrix - np.diag(np.diag(matrix))
    found = [
        Confusion(labels[a], labels[b], int(wrong[a, b]), float(wrong[a, b] / of[a])) for a, b in np.argwhere(wrong)
    ]
    return sorted(found, key=lambda one: (-one.rows, -one.share))[:most]


def weakest(scores: Scores, most: int = CLASSES) -> list[str]:
    """The classes with the lowest F1, in their order; all, if there are no more than `most`."""
    worst = sorted(scores.labels, key=lambda label: scores.classes[label].f1)[:most]
    return [label for label in scores.labels if label in set(worst)]

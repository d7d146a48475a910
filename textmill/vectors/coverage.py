"""Coverage: how many of a tokenizer's words, and how many words of the documents, have a vector."""

from typing import Any

import numpy as np

from textmill.text.ragged import SPECIALS, Ragged
from textmill.vectors import WordVectors

AT_ONCE = 1 << 24  # ids counted at a time


def coverage(found: WordVectors, vocabulary: int, docs: Ragged) -> dict[str, Any]:
    """Returns how many words of the vocabulary have a vector, and what share of the words of the documents does.

    vocabulary: its number of ids, including specials.
    """
    counts = np.zeros(vocabulary, np.int64)
    for start in range(0, len(docs.ids), AT_ONCE):
        counts += np.bincount(docs.ids[start : start + AT_ONCE], minlength=vocabulary)
    words, known = vocabulary - SPECIALS, int((found.ids >= SPECIALS).sum())
    return {
        "size": found.vectors.shape[1],
        "words": words,
        "found": known,
        "coverage": round(known / words, 5),
        "running": round(int(counts[found.ids].sum()) / int(counts.sum()), 5),
    }

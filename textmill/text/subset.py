"""Selections of encoded documents."""

import numpy as np

from textmill.text.encoding import Encoded
from textmill.text.ragged import Ragged


def subset(data: Encoded, rows: np.ndarray) -> Encoded:
    """Returns the documents at the given row numbers, int (R,), in that order."""
    lengths = data.docs.lengths[rows]
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    ids = data.docs.ids[np.repeat(data.docs.offsets[rows] - offsets[:-1], lengths) + np.arange(offsets[-1])]
    return Encoded(Ragged(ids, offsets), data.labels[rows])

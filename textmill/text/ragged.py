"""Rows of different lengths in one flat array, so that there is no padding to read by mistake."""

from dataclasses import dataclass

import numpy as np

PAD, UNK = 0, 1
SPECIALS = 2  # ids below this are not words: "<pad>" in a text is an ordinary word


@dataclass(frozen=True)
class Ragged:
    """N documents as one flat array of ids.

    ids: int32 (T,), one document after another; offsets: int64 (N + 1,), document i is
    ids[offsets[i]:offsets[i + 1]]. Every document has at least one id.
    """

    ids: np.ndarray
    offsets: np.ndarray

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> np.ndarray:
        """Ids per document, int64 (N,)."""
        return np.diff(self.offsets)

    @property
    def unknown(self) -> np.ndarray:
        """Share of each document's ids that are UNK, float32 (N,)."""
        return (np.add.reduceat(self.ids == UNK, self.offsets[:-1], dtype=np.int64) / self.lengths).astype(np.float32)

    def __getitem__(self, row: int) -> np.ndarray:
        return self.ids[self.offsets[row] : self.offsets[row + 1]]

    @classmethod
    def of(cls, ids: np.ndarray, counts: np.ndarray) -> "Ragged":
        """Returns documents with `counts` (N,) ids each. An empty one becomes one UNK, so that it can be scored."""
        if not counts.all():
            ids = np.insert(ids, np.cumsum(counts)[counts == 0], UNK)
        return cls(ids, np.concatenate([[0], np.cumsum(np.maximum(counts, 1))]))

"""What a model is scored on."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from textmill.parquet import read_batches
from textmill.rows.splits import pieces
from textmill.text.encoding import Documents, documents


class Scored(NamedTuple):
    """The documents of a split, and the unit of each, int (N,): equal numbers where the split keeps them together."""

    documents: Documents
    unit: np.ndarray


def read_scored(encoded: Path, split: Path, tokenizer: str, labels: list[str], by: str) -> Scored:
    """Returns a split. encoded: its ids, made by the tokenizer with this digest; split: its texts; by: `split.by`.

    Raises ArtifactError if the two files do not have the same number of documents.
    """
    rows = read_batches(split, ["text", "label", "group"])
    return Scored(documents(encoded, split, tokenizer), pieces(rows, labels, by))

"""Word vectors for a tokenizer's ids, read from a file or trained here."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from textmill.arrays import read_arrays, write_arrays
from textmill.errors import ArtifactError


class WordVectors(NamedTuple):
    """Vectors of K ids of a tokenizer: `ids` int64 (K,), ascending, `vectors` float32 (K, D)."""

    ids: np.ndarray
    vectors: np.ndarray


NONE = WordVectors(np.empty(0, np.int64), np.empty((0, 0), np.float32))


def save(path: Path, found: WordVectors, tokenizer: str) -> None:
    """Writes vectors as safetensors. tokenizer: the digest of the tokenizer's file."""
    write_arrays(path, found._asdict(), tokenizer)


def load(path: Path, tokenizer: str) -> WordVectors:
    """Reads the file that `save` wrote. Raises ArtifactError if it is missing, damaged or for another tokenizer."""
    arrays, made_for = read_arrays(path)
    if made_for != tokenizer:
        raise ArtifactError(f"{path}: vectors for a different tokenizer than the one given; run `dvc repro`")
    ids, vectors = arrays.get("ids"), arrays.get("vectors")
    if ids is None or vectors is None or vectors.ndim != 2 or ids.shape != vectors.shape[:1] or ids.dtype != np.int64:
        raise ArtifactError(f"{path}: not the vectors of words; delete it and run `dvc repro`")
    return WordVectors(ids, vectors)

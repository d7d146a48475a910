"""Word vectors of a tokenizer: read from a file or trained here, kept for the ids that have one."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from textmill.arrays import read_arrays, write_arrays
from textmill.errors import ArtifactError


class WordVectors(NamedTuple):
    """Vectors of K of the tokenizer's ids, ascending: `ids` int64 (K,), `vectors` float32 (K, D)."""

    ids: np.ndarray
    vectors: np.ndarray


NONE = WordVectors(np.empty(0, np.int64), np.empty((0, 0), np.float32))


def save(path: Path, found: WordVectors, tokenizer: str) -> None:
    """Write them as safetensors. tokenizer: the digest of the tokenizer's file."""
    write_arrays(path, found._asdict(), tokenizer)


def load(path: Path, tokenizer: str) -> WordVectors:
    """Read `save`'s file. Raises ArtifactError if it is missing or damaged, or if it belongs to another tokenizer."""
    arrays, made_for = read_arrays(path)
    if made_for != tokenizer:
        raise ArtifactError(f"{path}: vectors of another tokenizer than the one given; run `dvc repro`")
    return WordVectors(arrays["ids"], arrays["vectors"])

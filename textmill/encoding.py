"""Encoded splits on disk: ids and class numbers, tied to the tokenizer that made them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from textmill.errors import ArtifactError
from textmill.files import read_arrays, write_arrays
from textmill.ragged import Ragged
from textmill.tokenizers.word import UNK, WordTokenizer


@dataclass(frozen=True)
class Encoded:
    """Documents and their classes: `labels` is int64 (N,)."""

    docs: Ragged
    labels: np.ndarray


def encode(part: pl.DataFrame, tokenizer: WordTokenizer, labels: list[str]) -> Encoded:
    """Ids and class numbers of a split with the columns `text` and `label`, in its order."""
    classes = part["label"].replace_strict(labels, list(range(len(labels))), return_dtype=pl.Int64)
    return Encoded(tokenizer.encode(part["text"]), classes.to_numpy())


def unknown_share(docs: Ragged) -> float:
    """Share of ids that are UNK: what the vocabulary misses."""
    return float(np.mean(docs.ids == UNK)) if len(docs.ids) else 0.0


def save(path: Path, encoded: Encoded, tokenizer: str) -> None:
    """Write a split; `tokenizer` is the digest of the tokenizer's file."""
    arrays = {"ids": encoded.docs.ids, "offsets": encoded.docs.offsets, "labels": encoded.labels}
    write_arrays(path, arrays, tokenizer)


def load(path: Path, tokenizer: str) -> Encoded:
    """Read `save`'s file. Raises ArtifactError if another tokenizer made it."""
    arrays, made_by = read_arrays(path)
    if made_by != tokenizer:
        raise ArtifactError(f"{path}: encoded with another tokenizer than the one given; run `dvc repro`")
    return Encoded(Ragged(arrays["ids"], arrays["offsets"]), arrays["labels"])

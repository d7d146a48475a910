"""Encoded splits on disk: ids and class numbers, with the digests of the tokenizer and the rows they are from."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl

from textmill.arrays import map_arrays
from textmill.config import shown
from textmill.console import first
from textmill.errors import ArtifactError
from textmill.files import atomic
from textmill.parquet import read_parquet
from textmill.text.ragged import UNK, Ragged
from textmill.text.tokenizer import Tokenizer

HEADER = 512  # bytes before the arrays, including the header's length; a multiple of 8, to align them


@dataclass(frozen=True)
class Encoded:
    """Documents and their classes: `labels` is int64 (N,), -1 for no label."""

    docs: Ragged
    labels: np.ndarray


def encode(part: pl.DataFrame, tokenizer: "Tokenizer", labels: list[str]) -> Encoded:
    """Returns the ids and class numbers of the rows of `part`, which has the columns `text` and `label`."""
    return Encoded(tokenizer.encode(part["text"]), classes(part["label"], labels))


def classes(column: pl.Series, labels: list[str]) -> np.ndarray:
    """Returns each label's position in `labels`, -1 for null, int64 (N,). Raises ArtifactError for another label."""
    try:
        numbers = column.replace_strict(labels, list(range(len(labels))), return_dtype=pl.Int64)
    except pl.exceptions.InvalidOperationError as error:
        odd = next(label for label in column.drop_nulls() if label not in labels)
        raise ArtifactError(
            f"label {shown(odd)} of a document: not one of {first(labels, 5)}; run `dvc repro`"
        ) from error
    return numbers.fill_null(-1).to_numpy()


def save(
    path: Path, batches: Iterable[Encoded], documents: int, tokenizer: str, rows: str = ""
) -> tuple[np.ndarray, int]:
    """Writes a split batch by batch. Returns the lengths of its documents, int64 (N,), and how many ids are UNK.

    documents: N, the total of all batches. tokenizer: the digest of the tokenizer's file; rows: of the ids of the rows
    (`of_rows`), "" if nobody asks for them.
    The file is safetensors, with labels (N,), offsets (N + 1,) and ids (T,). Ids are written as they come, labels and
    offsets (16 bytes per document) at the end.
    """
    each: list[np.ndarray] = [np.empty(0, np.int64)]
    labels: list[np.ndarray] = []
    unknown = 0
    with atomic(path) as temporary, open(temporary, "wb") as file:
        file.seek(HEADER + 8 * documents + 8 * (documents + 1))
        for batch in batches:
            file.write(batch.docs.ids.astype("<i4").data)
            each.append(batch.docs.lengths)
            labels.append(batch.labels)
            unknown += int(np.count_nonzero(batch.docs.ids == UNK))
        lengths = np.concatenate(each)
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        file.seek(0)
        file.write(_header(documents, int(offsets[-1]), f"{tokenizer} {rows}".rstrip()))
        file.write(np.concatenate([*labels, offsets]).astype("<i8").data)
    return lengths, unknown


def _header(documents: int, tokens: int, made_from: str) -> bytes:
    header: dict[str, dict[str, Any]] = {"__metadata__": {"from": made_from}}
    end = 0
    for name, dtype, size, count in (
        ("labels", "I64", 8, documents),
        ("offsets", "I64", 8, documents + 1),
        ("ids", "I32", 4, tokens),
    ):
        header[name] = {"dtype": dtype, "shape": [count], "data_offsets": [end, end + size * count]}
        end += size * count
    return (HEADER - 8).to_bytes(8, "little") + json.dumps(header).encode().ljust(HEADER - 8)


def corpus(train: Ragged, unlabelled: Ragged, left_out: list[int]) -> Ragged:
    """Returns the documents for learning without labels, in memory: train without `left_out`, and the unlabelled."""
    kept = np.ones(len(train), bool)
    kept[left_out] = False
    ids = np.concatenate([train.ids[np.repeat(kept, train.lengths)], unlabelled.ids])
    lengths = np.concatenate([train.lengths[kept], unlabelled.lengths])
    return Ragged(ids, np.concatenate([[0], np.cumsum(lengths)]))


def load(path: Path, tokenizer: str) -> Encoded:
    """Maps the file that `save` wrote: its arrays are read-only and stay on disk until they are used.

    Raises ArtifactError if it is missing or damaged, or if another tokenizer made it.
    """
    return _load(path, tokenizer)[0]


def _load(path: Path, tokenizer: str) -> tuple[Encoded, str]:
    """Returns the documents, and the digest of their rows, "" if it is not known."""
    arrays, made_from = map_arrays(path)
    made_by, _, rows = made_from.partition(" ")
    if made_by != tokenizer:
        raise ArtifactError(f"{path}: encoded by a different tokenizer than the one given; run `dvc repro`")
    try:
        labels, offsets, ids = (arrays[name] for name in ("labels", "offsets", "ids"))
    except KeyError as error:
        raise ArtifactError(f"{path}: has no {error}; delete it and run `dvc repro`") from error
    kinds = (labels.dtype, offsets.dtype, ids.dtype) == (np.int64, np.int64, np.int32)
    if not kinds or len(offsets) != len(labels) + 1 or _broken(offsets, len(ids)):
        raise ArtifactError(f"{path}: its offsets are not those of its documents; delete it and run `dvc repro`")
    return Encoded(Ragged(ids, offsets), labels), rows


def _broken(offsets: np.ndarray, tokens: int) -> bool:
    """Whether these cannot be the offsets of documents with at least one id each, and this many in all."""
    return bool(offsets[0] != 0 or offsets[-1] != tokens or np.diff(offsets).min(initial=1) < 1)


def check_ids(path: Path, docs: Ragged, size: int) -> None:
    """Raises ArtifactError if documents that were read from `path` have ids that a vocabulary of this size lacks."""
    if len(docs.ids) and not 0 <= docs.ids.min() <= docs.ids.max() < size:
        raise ArtifactError(f"{path}: has ids beyond the {size:,} of its vocabulary; delete it and run `dvc repro`")


class Documents(NamedTuple):
    """A split's documents: their row ids (N,), and the same documents in a tokenizer's ids, in the same order."""

    ids: pl.Series
    data: Encoded


def documents(encoded: Path, split: Path, tokenizer: str) -> Documents:
    """Reads both files of a split. Raises ArtifactError if they are not of the same rows."""
    data, rows = _load(encoded, tokenizer)
    ids = read_parquet(split, columns=["id"])["id"]
    if len(ids) != len(data.docs):
        raise ArtifactError(f"{encoded}: {len(data.docs)} documents, but {split} has {len(ids)}; run `dvc repro`")
    if rows and rows != of_rows([ids]):
        raise ArtifactError(f"{encoded}: of other rows than {split}; run `dvc repro`")
    return Documents(ids, data)


def of_rows(ids: Iterable[pl.Series]) -> str:
    """Returns the hex digest of the ids of a split's rows, in their order, however they are grouped."""
    whole = hashlib.sha256()
    for some in ids:
        whole.update("".join(f"{one}\0" for one in some).encode())
    return whole.hexdigest()

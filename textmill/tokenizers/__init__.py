"""Tokenizers: everything that happens to a text on its way to ids, in one file of json.

A tokenizer has `fit(read, config, spill)`, `encode(texts) -> Ragged`, `spec()` and `from_spec(spec)`;
a new kind is written in its own module and listed in TOKENIZERS.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from textmill.config import validate
from textmill.errors import ArtifactError, ParamsError
from textmill.files import read_json, write_json
from textmill.ragged import Ragged
from textmill.tokenizers.word import Texts, WordConfig, WordTokenizer

TOKENIZERS: dict[str, tuple[type[WordConfig], type[WordTokenizer]]] = {"word": (WordConfig, WordTokenizer)}


def tokenizer_config(entry: Any, where: str) -> WordConfig:
    """An entry of `tokenizers:` as the config of its kind. Raises ParamsError naming the key under `where`."""
    kind = entry.get("kind") if isinstance(entry, dict) else None
    if kind not in TOKENIZERS:
        raise ParamsError(f"{where}.kind: expected one of {', '.join(TOKENIZERS)}, found {kind!r}")
    return validate(entry, TOKENIZERS[kind][0], where)


def fit(read: Texts, config: WordConfig, spill: BinaryIO) -> tuple[WordTokenizer, Iterator[Ragged]]:
    """The tokenizer that `config` describes, learned from texts, and the ids of each batch of them.

    `read()` gives the texts in batches, string Series, and may be called again. `spill`, an empty file open for reading
    and writing, holds what has to wait until the last text was seen.
    """
    return TOKENIZERS[config.kind][1].fit(read, config, spill)


def save(path: Path, tokenizer: WordTokenizer) -> None:
    """Write the one file that a tokenizer is."""
    write_json(path, tokenizer.spec())


def load(path: Path) -> WordTokenizer:
    """Read `save`'s file. Raises ArtifactError if it is missing, damaged or edited into nonsense."""
    spec = read_json(path)
    if not isinstance(spec, dict) or spec.get("kind") not in TOKENIZERS:
        raise ArtifactError(f"{path}: not a tokenizer; run `dvc repro`, which makes it")
    try:
        return TOKENIZERS[spec["kind"]][1].from_spec(spec)
    except (KeyError, TypeError, ValueError, ParamsError) as error:
        raise ArtifactError(f"{path}: damaged tokenizer ({error}); run `dvc repro`, which makes it") from error

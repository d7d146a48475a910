"""Tokenizers: everything that happens to a text on its way to ids, in one file of json.

A tokenizer has `learn(texts, config)`, `encode(texts) -> Ragged`, `spec()` and `from_spec(spec)`;
a new kind is written in its own module and listed in TOKENIZERS.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from textmill.config import validate
from textmill.errors import ArtifactError, ParamsError
from textmill.files import read_json, write_json
from textmill.tokenizers.word import WordConfig, WordTokenizer

TOKENIZERS: dict[str, tuple[type[WordConfig], type[WordTokenizer]]] = {"word": (WordConfig, WordTokenizer)}


def tokenizer_config(entry: Any, where: str) -> WordConfig:
    """An entry of `tokenizers:` as the config of its kind. Raises ParamsError naming the key under `where`."""
    kind = entry.get("kind") if isinstance(entry, dict) else None
    if kind not in TOKENIZERS:
        raise ParamsError(f"{where}.kind: expected one of {', '.join(TOKENIZERS)}, found {kind!r}")
    return validate(entry, TOKENIZERS[kind][0], where)


def learn(batches: Iterable[Any], config: WordConfig) -> WordTokenizer:
    """The tokenizer that `config` describes, with the vocabulary of these texts (string Series)."""
    return TOKENIZERS[config.kind][1].learn(batches, config)


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

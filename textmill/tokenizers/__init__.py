"""Tokenizers: everything that happens to a text on its way to ids, in one file of json.

A new kind is a config and a class (see `tokenizer.Tokenizer`) in a module of its own, listed in TOKENIZERS.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from textmill.config import Section, validate
from textmill.errors import ArtifactError, ParamsError
from textmill.files import read_json, write_json
from textmill.formats import Upgrade, upgraded
from textmill.text.ragged import Ragged
from textmill.tokenizers.base import FILE, FORMAT, Texts, Tokenizer
from textmill.tokenizers.bpe import BpeConfig, BpeTokenizer
from textmill.tokenizers.char import CharConfig, CharTokenizer
from textmill.tokenizers.prefetching import prefetch
from textmill.tokenizers.pretrained import PretrainedConfig, PretrainedTokenizer, pretrained_config
from textmill.tokenizers.word import WordConfig, WordTokenizer

TOKENIZERS: dict[str, tuple[type[Section], type]] = {
    "word": (WordConfig, WordTokenizer),
    "char": (CharConfig, CharTokenizer),
    "bpe": (BpeConfig, BpeTokenizer),
    "pretrained": (PretrainedConfig, PretrainedTokenizer),
}
UPGRADES: dict[int, Upgrade] = {1: lambda spec: {**spec, "format": 2}}  # format 1 did not tell its number


def tokenizer_config(entry: Any, where: str) -> Section:
    """An entry of `tokenizers:` as the config of its kind. Raises ParamsError naming the key under `where`."""
    kind = entry.get("kind") if isinstance(entry, dict) else None
    if kind not in list(TOKENIZERS):
        raise ParamsError(f"{where}.kind: expected one of {', '.join(TOKENIZERS)}, found {kind!r}")
    own = {key: value for key, value in entry.items() if key != "vectors"}  # those are checked where they are read
    if kind == "pretrained":  # its keys depend on where it comes from
        return pretrained_config(own, where)
    return validate(own, TOKENIZERS[kind][0], where)


def fit(read: Texts, config: Section, spill: BinaryIO, files: Mapping[str, Path]) -> tuple[Tokenizer, Iterator[Ragged]]:
    """The tokenizer that `config` describes, learned from texts, and the ids of each batch of them.

    `read()` gives the texts in batches, string Series, and may be called again. `spill`, an empty file open for reading
    and writing, holds what has to wait until the last text was seen. `files` are those that were fetched: a pretrained
    tokenizer is one of them, and learns nothing.
    """
    if isinstance(config, PretrainedConfig):
        tokenizer = PretrainedTokenizer.read(files[FILE], config)
        return tokenizer, prefetch(tokenizer.encode, read())
    return TOKENIZERS[config.kind][1].fit(read, config, spill)


def save(path: Path, tokenizer: Tokenizer) -> None:
    """Write the one file that a tokenizer is."""
    write_json(path, {"format": FORMAT, **tokenizer.spec()})


def load(path: Path) -> Tokenizer:
    """Read `save`'s file. Raises ArtifactError if it is missing, damaged or edited into nonsense."""
    spec = read_json(path)
    if not isinstance(spec, dict) or spec.get("kind") not in list(TOKENIZERS):
        raise ArtifactError(f"{path}: not a tokenizer; run `dvc repro`, which makes it")
    tokenizer, spec = TOKENIZERS[spec["kind"]][1], upgraded({"format": 1, **spec}, path, FORMAT, UPGRADES)
    try:
        return tokenizer.from_spec(validate(spec, tokenizer.SPEC, f"{path}: ").model_dump())
    except ParamsError as error:
        raise ArtifactError(f"{error}; run `dvc repro`, which makes it") from error
    except ValueError as error:
        raise ArtifactError(f"{path}: damaged tokenizer ({error}); run `dvc repro`, which makes it") from error

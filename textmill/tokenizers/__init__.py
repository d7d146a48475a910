"""Tokenizers: each turns texts into ids and is stored as one json file.

A kind is a module of this package, found by its name and imported when it is used. It names its class (see
`text.tokenizer.Tokenizer`) TOKENIZER.
"""

from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import IO, Any

from textmill.config import shown, validate
from textmill.errors import ArtifactError, ParamsError
from textmill.files import read_json, write_json
from textmill.formats import Upgrade, upgraded
from textmill.text.ragged import Ragged
from textmill.text.tokenizer import FORMAT, Texts, Tokenizer, TokenizerConfig

KINDS = tuple(sorted(module.name for module in iter_modules(__path__)))
UPGRADES: dict[int, Upgrade] = {1: lambda spec: {**spec, "format": 2}}  # format 1 has no "format" key


def of_kind(kind: str) -> type[Tokenizer]:
    """Returns the tokenizer class of a kind, one of KINDS."""
    return import_module(f"textmill.tokenizers.{kind}").TOKENIZER


def tokenizer_config(entry: Any, where: str) -> TokenizerConfig:
    """Returns an entry of `tokenizers:` as the config of its kind. Raises ParamsError with the key under `where`."""
    kind = entry.get("kind") if isinstance(entry, dict) else None
    if kind not in KINDS:
        raise ParamsError(f"{where}.kind: expected one of {', '.join(KINDS)}, found {shown(kind)}")
    own = {key: value for key, value in entry.items() if key != "vectors"}  # `vectors` is checked by `vectors_config`
    return of_kind(kind).check(own, where)


def fit(
    read: Texts, config: TokenizerConfig, spill: IO[bytes], files: Mapping[str, Path]
) -> tuple[Tokenizer, Iterator[Ragged]]:
    """Fits the tokenizer that `config` describes; returns it and the ids of each batch of texts.

    read: returns the texts in batches (string Series); may be called more than once. spill: an empty file, open for
    reading and writing, for data that must wait until all texts are read. files: the fetched files by name; a
    pretrained tokenizer is read from them and learns nothing.
    """
    return of_kind(config.kind).fit(read, config, spill, files)


def save(path: Path, tokenizer: Tokenizer) -> None:
    """Writes a tokenizer to one file."""
    write_json(path, {"format": FORMAT, **tokenizer.spec()})


def load(path: Path) -> Tokenizer:
    """Reads the file that `save` wrote. Raises ArtifactError if it is missing, damaged or not valid."""
    spec = read_json(path)
    if not isinstance(spec, dict) or spec.get("kind") not in KINDS:
        raise ArtifactError(f"{path}: not a tokenizer; run `dvc repro` to make it")
    tokenizer, spec = of_kind(spec["kind"]), upgraded({"format": 1, **spec}, path, FORMAT, UPGRADES)
    try:
        return tokenizer.from_spec(validate(spec, tokenizer.SPEC, f"{path}: ").model_dump())
    except ParamsError as error:
        raise ArtifactError(f"{error}; run `dvc repro` to make it again") from error
    except ValueError as error:
        raise ArtifactError(f"{path}: damaged tokenizer ({error}); run `dvc repro` to make it again") from error

"""Tokenizers: everything that happens to a text on its way to ids, in one file of json.

A kind is a module, found by its name here and imported when it is asked for; its class (see `text.tokenizer.Tokenizer`)
is called TOKENIZER there.
"""

from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import IO, Any

from textmill.config import validate
from textmill.errors import ArtifactError, ParamsError
from textmill.files import read_json, write_json
from textmill.formats import Upgrade, upgraded
from textmill.text.ragged import Ragged
from textmill.text.tokenizer import FORMAT, Texts, Tokenizer, TokenizerConfig

KINDS = tuple(sorted(module.name for module in iter_modules(__path__)))
UPGRADES: dict[int, Upgrade] = {1: lambda spec: {**spec, "format": 2}}  # format 1 did not tell its number


def of_kind(kind: str) -> type[Tokenizer]:
    """The tokenizer of a kind, one of KINDS."""
    return import_module(f"textmill.tokenizers.{kind}").TOKENIZER


def tokenizer_config(entry: Any, where: str) -> TokenizerConfig:
    """An entry of `tokenizers:` as the config of its kind. Raises ParamsError naming the key under `where`."""
    kind = entry.get("kind") if isinstance(entry, dict) else None
    if kind not in KINDS:
        raise ParamsError(f"{where}.kind: expected one of {', '.join(KINDS)}, found {kind!r}")
    own = {key: value for key, value in entry.items() if key != "vectors"}  # those are checked where they are read
    return of_kind(kind).check(own, where)


def fit(
    read: Texts, config: TokenizerConfig, spill: IO[bytes], files: Mapping[str, Path]
) -> tuple[Tokenizer, Iterator[Ragged]]:
    """The tokenizer that `config` describes, learned from texts, and the ids of each batch of them.

    `read()` gives the texts in batches, string Series, and may be called again. `spill`, an empty file open for reading
    and writing, holds what has to wait until the last text was seen. `files` are those that were fetched: a pretrained
    tokenizer is one of them, and learns nothing.
    """
    return of_kind(config.kind).fit(read, config, spill, files)


def save(path: Path, tokenizer: Tokenizer) -> None:
    """Write the one file that a tokenizer is."""
    write_json(path, {"format": FORMAT, **tokenizer.spec()})


def load(path: Path) -> Tokenizer:
    """Read `save`'s file. Raises ArtifactError if it is missing, damaged or edited into nonsense."""
    spec = read_json(path)
    if not isinstance(spec, dict) or spec.get("kind") not in KINDS:
        raise ArtifactError(f"{path}: not a tokenizer; run `dvc repro`, which makes it")
    tokenizer, spec = of_kind(spec["kind"]), upgraded({"format": 1, **spec}, path, FORMAT, UPGRADES)
    try:
        return tokenizer.from_spec(validate(spec, tokenizer.SPEC, f"{path}: ").model_dump())
    except ParamsError as error:
        raise ArtifactError(f"{error}; run `dvc repro`, which makes it") from error
    except ValueError as error:
        raise ArtifactError(f"{path}: damaged tokenizer ({error}); run `dvc repro`, which makes it") from error

"""The sections of params.yaml with every default written out."""

from collections.abc import Mapping
from typing import Any

from textmill.config import Section, validate
from textmill.errors import ParamsError
from textmill.judging.comparison import CompareConfig
from textmill.judging.slicing import EvaluateConfig
from textmill.rows.cleaning import CleanConfig
from textmill.rows.splits import SplitConfig
from textmill.sources import SOURCE, SOURCES, may_bring_splits
from textmill.tokenizers import tokenizer_config
from textmill.training.settings import TrainConfig
from textmill.vectors.config import vectors_config

SCHEMAS: dict[str, type[Section]] = {
    "clean": CleanConfig,
    "split": SplitConfig,
    "train": TrainConfig,
    "evaluate": EvaluateConfig,
}
SCHEMAS["compare"] = CompareConfig


def dataset(found: Any, where: str) -> dict[str, Any]:
    """Returns the `dataset` section. Raises ParamsError naming the key under `where`."""
    source = found.get("source") if isinstance(found, Mapping) else None
    name = validate(source, SOURCE, f"{where}.source")
    return validate(found, SOURCES[name], where).model_dump()


def tokenizer(found: Any, where: str) -> dict[str, Any]:
    """Returns an entry of `tokenizers`. Raises ParamsError naming the key under `where`."""
    config, vectors = tokenizer_config(found, where), vectors_config(found, where)
    return config.model_dump() | {"vectors": vectors and vectors.model_dump()}


def effective(key: str, found: Any, where: str) -> Any:
    """Returns the value of a key of dvc.yaml ('split', 'tokenizers.word', 'seed') with its defaults written out.

    Raises ParamsError naming the key under `where`.
    """
    section, _, name = key.partition(".")
    if section == "dataset" and not name:
        return dataset(found, where)
    if section == "tokenizers":
        return tokenizer(found, where) if name else {name: tokenizer(found[name], f"{where}.{name}") for name in found}
    return validate(found, SCHEMAS[key], where).model_dump() if key in SCHEMAS else found


def check_splits(split: Mapping[str, Any], dataset: Mapping[str, Any], where: str) -> None:
    """Raises ParamsError, naming the key under `where`, if there is no share for a split that the data cannot bring.

    split, dataset: these sections with their defaults.
    """
    for name in ("validation", "test"):
        if not split[name] and not may_bring_splits(dataset):
            raise ParamsError(f"{where}.{name}: 0, but the data brings no {name} split; set a share such as 0.1")

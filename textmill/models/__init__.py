"""The arms of an experiment. A family is a module with `config`, `fit` and `load`, imported when it is asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import numpy as np

from textmill.config import Section
from textmill.errors import ParamsError
from textmill.ragged import Ragged
from textmill.vectors import WordVectors

FAMILIES = {
    "linear": "textmill.models.linear",
    "rnn": "textmill.models.neural",
    "gru": "textmill.models.neural",
    "lstm": "textmill.models.neural",
    "transformer": "textmill.models.neural",
}


class Model(Protocol):
    """What every family gives: scores for documents, and weights to keep."""

    def predict_proba(self, docs: Ragged) -> np.ndarray:
        """Probability of each class for each document, float32 (N, C)."""

    def tensors(self) -> dict[str, np.ndarray]:
        """All weights by name, as the bundle keeps them."""


@dataclass(frozen=True)
class Task:
    """What a model is fitted to: ids below `vocabulary`, class numbers below `classes`.

    vectors: of the tokenizer, for embeddings that begin with them; corpus: training and unlabelled documents, none of
    them a test text, to pretrain on; encoder: the folder of a pretrained encoder. None where the model asks for none.
    """

    vocabulary: int
    classes: int
    seed: int
    vectors: WordVectors | None = None
    corpus: Ragged | None = None
    encoder: Path | None = None


@dataclass(frozen=True)
class Fitted:
    """A model with the weights of its best epoch, and how it got there (one dict an epoch)."""

    model: Model
    history: list[dict[str, float | None]]
    best_epoch: int
    device: str
    precision: str


@dataclass(frozen=True)
class Arm:
    """One entry of `models:`, checked: its module, its own config, and the training settings that apply to it."""

    family: ModuleType
    config: Section
    settings: Section | None

    @property
    def uses_vectors(self) -> bool:
        """Whether its embeddings begin with the tokenizer's vectors."""
        return getattr(self.config, "vectors", "none") != "none"

    @property
    def pretrains(self) -> bool:
        """Whether it learns from texts without their labels first."""
        return getattr(self.config, "pretrain", None) is not None


def arm(entry: Any, train: Mapping[str, Any], where: str) -> Arm:
    """Check an entry of `models:`; its keys override those of the `train` section.

    Raises ParamsError naming the key under `where` ('params.yaml: models.lstm').
    """
    name = entry.get("family") if isinstance(entry, dict) else None
    if name not in FAMILIES:
        raise ParamsError(f"{where}.family: expected one of {', '.join(FAMILIES)}, found {name!r}")
    family = import_module(FAMILIES[name])
    config, settings = family.config(entry, train, where)
    return Arm(family, config, settings)

"""The interface of model families: the task, the model, the result of fitting."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Protocol, TypedDict

import numpy as np

from textmill.config import Section
from textmill.records.fit import Learning, Solver
from textmill.text.encoding import Encoded
from textmill.text.ragged import Ragged
from textmill.vectors import WordVectors


class Model(Protocol):
    """A fitted model of any family."""

    METHODS: ClassVar[tuple[str, ...]]  # methods of textmill.explain that apply to it, the default first

    def predict_proba(self, docs: Ragged) -> np.ndarray:
        """Returns the probability of each class for each document, float32 (N, C)."""

    def positions(self, length: int) -> np.ndarray:
        """Returns the positions that it reads in a document of `length` ids, ascending, int64 (R,)."""

    def tensors(self) -> dict[str, np.ndarray]:
        """Returns all weights by name, as the bundle keeps them."""


@dataclass(frozen=True)
class Task:
    """What a model is fitted to: ids below `vocabulary`, class numbers below `classes`.

    vectors: the tokenizer's word vectors, for embeddings that start from them; corpus: training and unlabelled
    documents without test texts, to pretrain on; encoder: the folder of a pretrained encoder, next to its tokenizer's
    file; cache: the folder that keeps pretrained bodies. Each is None if the model does not need it.
    code: digest of the code that the training runs, for what is kept between runs.
    """

    vocabulary: int
    classes: int
    seed: int
    vectors: WordVectors | None = None
    corpus: Ragged | None = None
    encoder: Path | None = None
    cache: Path | None = None
    code: str = ""


class EpochRow(TypedDict):
    """An epoch in a history; None where a model has no such number."""

    epoch: int
    train_loss: float | None
    validation_loss: float
    validation_accuracy: float
    validation_f1: float
    learning_rate: float | None
    updates: int | None
    seconds: float


@dataclass(frozen=True)
class Fitted:
    """A model with the weights of its best epoch, and its history, a row per epoch.

    pretraining: epochs, loss (nats), documents, tokens, seconds. learning: for a network; solver: for a linear model.
    """

    model: Model
    history: list[EpochRow]
    best_epoch: int
    device: str
    precision: str
    pretraining: dict[str, Any] | None = None
    learning: Learning | None = None
    solver: Solver | None = None


class Reads(NamedTuple):
    """What the training of a model reads in addition to ids and labels.

    vectors: the key of its entry for the size of word vectors, if it starts from the tokenizer's; else None.
    corpus: whether it reads texts without labels. encoder: whether it reads its tokenizer's pretrained encoder.
    """

    vectors: str | None = None
    corpus: bool = False
    encoder: bool = False


class Family(ABC):
    """A family of models. Its module in textmill.models has the family's name and calls it FAMILY.

    config: the class of an entry of `models:`. settings: the class of its training settings, None without training
    settings.
    """

    config: type[Section]
    settings: type[Section] | None

    @abstractmethod
    def check(self, entry: Mapping[str, Any], train: Mapping[str, Any], where: str) -> tuple[Section, Section | None]:
        """Returns the config of an entry of `models:`, and its training settings if it uses the `train` section.

        Raises ParamsError with the key under `where`.
        """

    @abstractmethod
    def fit(
        self,
        config: Any,
        settings: Any,
        data: Encoded,
        validation: Encoded,
        task: Task,
        folder: Path | None = None,
    ) -> Fitted:
        """Fits a model, the same one for the same seed. folder: where its checkpoints are."""

    @abstractmethod
    def load(
        self, config: Any, settings: Any, tensors: Mapping[str, np.ndarray], task: Task, where: str = "weights"
    ) -> Model:
        """Returns the model with the arrays of `Model.tensors()`. `settings` may be only the Reading.

        where: the file that they were read from. Raises ArtifactError with `where` and the first tensor that does not
        fit, ParamsError if config, settings and task do not fit each other.
        """

    def reads(self, config: Any) -> Reads:
        """Returns what the training reads in addition to ids and labels."""
        return Reads()

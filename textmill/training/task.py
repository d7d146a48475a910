"""What a model is fitted to, what comes of it, and what a family of models is."""

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
    """What every family gives: scores for documents, and weights to keep."""

    METHODS: ClassVar[tuple[str, ...]]  # of textmill.explain that fit it, its default first

    def predict_proba(self, docs: Ragged) -> np.ndarray:
        """Probability of each class for each document, float32 (N, C)."""

    def positions(self, length: int) -> np.ndarray:
        """Which ids of a document of `length` it reads, in ascending order: int64 (R,)."""

    def tensors(self) -> dict[str, np.ndarray]:
        """All weights by name, as the bundle keeps them."""


@dataclass(frozen=True)
class Task:
    """What a model is fitted to: ids below `vocabulary`, class numbers below `classes`.

    vectors: of the tokenizer, for embeddings that begin with them; corpus: training and unlabelled documents, none of
    them a test text, to pretrain on; encoder: the folder of a pretrained encoder, beside which its tokenizer's file
    lies; cache: the folder that keeps what was pretrained. None where the model asks for none.
    code: digest of what the training runs, for what is kept between runs.
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
    """An epoch in a history: None where a model has no such number."""

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
    """A model with the weights of its best epoch, and how it got there (a row an epoch).

    pretraining: epochs, loss (nats), documents, tokens, seconds. learning: of a network; solver: of a linear model.
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
    """What the training of a model reads beside ids and labels.

    vectors: the key of its entry that says how long the tokenizer's vectors must be, if it begins with them.
    corpus: texts without labels. encoder: a pretrained encoder, which its tokenizer brings.
    """

    vectors: str | None = None
    corpus: bool = False
    encoder: bool = False


class Family(ABC):
    """A family of models. Its module in textmill.models is named as the family, and holds it as FAMILY.

    config: of an entry of `models:`. settings: of its training, if the `train` section is about it.
    """

    config: type[Section]
    settings: type[Section] | None

    @abstractmethod
    def check(self, entry: Mapping[str, Any], train: Mapping[str, Any], where: str) -> tuple[Section, Section | None]:
        """An entry of `models:` as its config, and the settings of its training if `train` is about it.

        Raises ParamsError naming the key under `where`.
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
        """The fitted model, the same for the same seed; `folder` holds its checkpoints."""

    @abstractmethod
    def load(
        self, config: Any, settings: Any, tensors: Mapping[str, np.ndarray], task: Task, where: str = "weights"
    ) -> Model:
        """The model of `Model.tensors()`, which were read from the file `where`; `settings` may be the Reading alone.

        Raises ArtifactError under `where`, naming the first tensor that does not fit, and ParamsError if the rest does
        not fit together.
        """

    def reads(self, config: Any) -> Reads:
        """What the training reads beside ids and labels."""
        return Reads()

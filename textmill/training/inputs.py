"""The files from earlier stages that a training reads."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textmill.files import sha256
from textmill.records.data import TrainInTest, Vocabulary
from textmill.text import encoding
from textmill.text.encoding import Encoded
from textmill.text.tokenizer import FILE
from textmill.training.task import Reads, Task
from textmill.vectors import load as load_vectors


@dataclass(frozen=True)
class Inputs:
    """Paths of a training's inputs.

    code: digests of the code that the training runs. learned: counts made when the tokenizer was fitted. encoded:
    folder of the splits in ids. vocab: folder of their tokenizer. vectors: its word vectors. train_in_test: numbers of
    the training rows whose texts are also in test.
    """

    code: Path
    learned: Path
    encoded: Path
    vocab: Path
    vectors: Path
    train_in_test: Path

    @property
    def tokenizer(self) -> Path:
        """The tokenizer's file."""
        return self.vocab / FILE

    @property
    def splits(self) -> list[Path]:
        """The files of the training split, the validation split and the unlabelled documents."""
        return [self.encoded / f"{name}.safetensors" for name in ("train", "validation", "unlabelled")]

    @property
    def files(self) -> list[Path]:
        """All files that may affect the result of the training."""
        return [self.code, *self.splits, self.vectors, self.train_in_test, *sorted((self.vocab / "encoder").glob("*"))]

    def read(self, reads: Reads, classes: int, seed: int, cache: Path) -> tuple[Encoded, Encoded, Task]:
        """Returns the training split, the validation split and the task.

        Vectors, a corpus and an encoder are read only for models that need them.
        Raises ArtifactError if one of the files was made with another tokenizer or has ids that the vocabulary lacks.
        """
        made_by = sha256(self.tokenizer)
        size = Vocabulary.read(self.learned).vocabulary
        data, validation, unlabelled = (encoding.load(file, made_by) for file in self.splits)
        for file, split in zip(self.splits, (data, validation), strict=False):
            encoding.check_ids(file, split.docs, size)
        left_out = TrainInTest.read(self.train_in_test).rows(len(data.docs)) if reads.corpus else []
        encoder = self.vocab / "encoder"
        task = Task(
            size,
            classes,
            seed,
            vectors=load_vectors(self.vectors, made_by) if reads.vectors else None,
            corpus=encoding.corpus(data.docs, unlabelled.docs, left_out) if reads.corpus else None,
            encoder=encoder if reads.encoder and encoder.is_dir() else None,
            cache=cache,
            code=sha256(self.code),
        )
        return data, validation, task


def depends_on(entry: Mapping[str, Any], train: Mapping[str, Any], threads: int, inputs: list[Path]) -> list[Any]:
    """Returns all that a fit depends on except its seed; a checkpoint is used only if it is the same."""
    return [without_seeds(entry), without_seeds(train), threads, *map(sha256, inputs)]


def without_seeds(section: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the params without `seeds`, since another seed in the list does not change the existing ones."""
    return {key: value for key, value in section.items() if key != "seeds"}

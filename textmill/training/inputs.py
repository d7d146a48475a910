"""What a training reads of the stages before it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textmill.files import read_json, sha256
from textmill.records.data import Vocabulary
from textmill.text import encoding
from textmill.text.encoding import Encoded
from textmill.text.tokenizer import FILE
from textmill.training.task import Reads, Task
from textmill.vectors import load as load_vectors


@dataclass(frozen=True)
class Inputs:
    """Where they are: folders of the splits in ids and of their tokenizer, its word vectors, the repeated rows.

    code: digests of what the training runs. learned: what was counted while the tokenizer was learned. train_in_test:
    rows of train whose texts stand in test, too.
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
        """The training and the validation split, and the unlabelled documents."""
        return [self.encoded / f"{name}.safetensors" for name in ("train", "validation", "unlabelled")]

    @property
    def files(self) -> list[Path]:
        """All that may decide what comes of the training."""
        return [self.code, *self.splits, self.vectors, self.train_in_test, *sorted((self.vocab / "encoder").glob("*"))]

    def read(self, reads: Reads, classes: int, seed: int, cache: Path) -> tuple[Encoded, Encoded, Task]:
        """The training and the validation split, and what a model is fitted to.

        Vectors, a corpus and an encoder are read for models that ask for them.
        Raises ArtifactError if one of the files was made with another tokenizer.
        """
        made_by = sha256(self.tokenizer)
        data, validation, unlabelled = (encoding.load(file, made_by) for file in self.splits)
        encoder = self.vocab / "encoder"
        task = Task(
            Vocabulary.read(self.learned).vocabulary,
            classes,
            seed,
            vectors=load_vectors(self.vectors, made_by) if reads.vectors else None,
            corpus=encoding.corpus(data.docs, unlabelled.docs, read_json(self.train_in_test)) if reads.corpus else None,
            encoder=encoder if reads.encoder and encoder.is_dir() else None,
            cache=cache,
            code=sha256(self.code),
        )
        return data, validation, task


def depends_on(entry: Mapping[str, Any], train: Mapping[str, Any], threads: int, inputs: list[Path]) -> list[Any]:
    """All that a fit depends on beside its seed: checkpoints go on only where it is the same."""
    return [without_seeds(entry), without_seeds(train), threads, *map(sha256, inputs)]


def without_seeds(section: Mapping[str, Any]) -> dict[str, Any]:
    """Params that say how one seed is trained: another seed in the list changes none of those before it."""
    return {key: value for key, value in section.items() if key != "seeds"}

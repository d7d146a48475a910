"""What all stages before `compare` found out."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from textmill.records.data import Clean, Split, Tokenized, Vectors
from textmill.records.labels import Labels
from textmill.records.outcome import Outcome


@dataclass(frozen=True)
class Findings:
    """The models' results by name, in the order of params.yaml, and facts about the data.

    encoded, vectors: by tokenizer.
    """

    models: dict[str, Outcome]
    clean: Clean
    split: Split
    encoded: dict[str, Tokenized]
    vectors: dict[str, Vectors]
    labels: Labels

    @classmethod
    def read(
        cls, models: Iterable[str], scored: Path, tokenizers: Iterable[str], tokenized: Path,
        clean: Path, split: Path, suspects: Path,
    ) -> Self:  # fmt: skip
        """Reads the files of the named models and tokenizers; results of other models are left alone.

        scored: the folder with a folder for each model; tokenized: the folder with the tokenizers' files.
        Raises ArtifactError naming the stage that did not run, or whose file is not what it should be.
        """
        names, kinds = list(models), list(tokenizers)
        return cls(
            {name: Outcome.read(scored / name) for name in names},
            Clean.read(clean),
            Split.read(split),
            {name: Tokenized.read(tokenized / Tokenized.FILE.format(name)) for name in kinds},
            {name: Vectors.read(tokenized / Vectors.FILE.format(name)) for name in kinds},
            Labels.read(suspects, scored, names),
        )

"""Facts about the data, before and after encoding."""

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, ConfigDict, Field, RootModel

from textmill.config import Section, shown
from textmill.errors import ArtifactError
from textmill.records.record import Record


def _distinct(labels: list[str]) -> list[str]:
    if len(set(labels)) < len(labels):
        raise ValueError(f"a label occurs twice in {shown(labels)}")
    return labels


LabelNames = Annotated[list[str], Field(min_length=2), AfterValidator(_distinct)]


class Classes(Record, RootModel[LabelNames]):
    """The classes, in their order."""

    model_config = ConfigDict(strict=True, frozen=True)
    FILE: ClassVar = "labels.json"
    STAGE: ClassVar = "clean"


class TrainInTest(Record, RootModel[list[Annotated[int, Field(ge=0)]]]):
    """The rows of the training split whose texts are also in test."""

    model_config = ConfigDict(strict=True, frozen=True)
    FILE: ClassVar = "train_in_test.json"
    STAGE: ClassVar = "split"

    def rows(self, documents: int) -> list[int]:
        """Returns the rows. Raises ArtifactError unless the training split has as many documents."""
        if self.root and max(self.root) >= documents:
            raise ArtifactError(
                f"{self.FILE}: row {max(self.root)} of {documents:,} in train; run `dvc repro -f split`"
            )
        return self.root


class Histogram(Section):
    """Bars between edges. The last one has all longer documents."""

    edges: list[int]
    counts: list[int]


class Lengths(Section):
    """Lengths of documents, in words or tokens. Without documents there are no percentiles and no bars."""

    mean: int | float
    percentiles: dict[str, int]
    histogram: Histogram


class Clean(Record, Section):
    """The rows that were read: dropped by reason, repaired by kind, kept by label."""

    FILE: ClassVar = "clean.json"
    STAGE: ClassVar = "clean"

    rows: int
    kept: int
    dropped: dict[str, int]
    repaired: dict[str, int]
    labels: dict[str, int]
    read_as: dict[str, str] = {}  # by file: its encoding, and what else was found
    twice_encoded: int = 0  # texts that look like UTF-8 read in another encoding


class Part(Section):
    """One split, in documents and words."""

    rows: int
    labels: dict[str, int]
    duplicates: int
    words: Lengths

    @property
    def absent(self) -> list[str]:
        """The classes without documents; empty if there are no documents at all."""
        return [label for label, rows in self.labels.items() if not rows] if self.rows else []


class Split(Record, Section):
    """How the documents were split, and what the splits are like."""

    FILE: ClassVar = "split.json"
    STAGE: ClassVar = "split"

    seed: int
    by: Literal["text", "group"]
    left_out: dict[str, int]  # by split, because of split.sizes
    unlabelled_in_test: int
    twins: dict[str, int] = {}  # by split, because of split.twins
    splits: dict[str, Part]
    overlap: dict[str, int]  # "train-test": documents of test whose texts are in train
    near: dict[str, int] = {}  # "train-test": documents of test with a near copy in train
    near_drawn: dict[str, int] = {}  # by split: the sample that was counted, if not all
    shared_groups: dict[str, int] = {}  # "train-test": documents of test whose group has documents in train
    conflicts: int  # texts with more than one label


class Ids(Section):
    """One split in ids. `unknown` is the share of tokens that are not in the vocabulary."""

    tokens: int
    unknown: float
    lengths: Lengths


class Vocabulary(Record, Section):
    """Counts from encoding the training split."""

    FILE: ClassVar = "vocab-{}.json"
    STAGE: ClassVar = "vocab"

    vocabulary: int
    train: Ids


class Tokenized(Record, Section):
    """All splits, encoded by one tokenizer."""

    FILE: ClassVar = "encode-{}.json"
    STAGE: ClassVar = "encode"

    vocabulary: int
    splits: dict[str, Ids]


class Vectors(Record, Section):
    """The source and coverage of a tokenizer's word vectors. Without vectors there is only `source`, None."""

    FILE: ClassVar = "vectors-{}.json"
    STAGE: ClassVar = "vectors"

    source: str | None
    origin: Annotated[str, Field(alias="from")] = ""  # a file's name or a method
    in_file: int = 0
    duplicates: int = 0
    zeros: int = 0
    size: int = 0
    words: int = 0
    found: int = 0
    coverage: float = 0.0  # share of the vocabulary's words
    running: float = 0.0  # share of the training texts' words, each occurrence counted

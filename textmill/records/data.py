"""What the data is, before and after it is turned into ids."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from textmill.config import Section
from textmill.records.record import Record


class Histogram(Section):
    """Bars between edges; all longer documents stand in the last."""

    edges: list[int]
    counts: list[int]


class Lengths(Section):
    """Of documents, in words or tokens. No percentiles and no bars where there are no documents."""

    mean: int | float
    percentiles: dict[str, int]
    histogram: Histogram


class Clean(Record, Section):
    """Rows that were read, and what became of them: dropped by reason, repaired by kind, kept by label."""

    FILE: ClassVar = "clean.json"
    STAGE: ClassVar = "clean"

    rows: int
    kept: int
    dropped: dict[str, int]
    repaired: dict[str, int]
    labels: dict[str, int]
    read_as: dict[str, str] = {}  # by file: its encoding, and what else was found out about it
    twice_encoded: int = 0  # texts that look like UTF-8 read as something else


class Part(Section):
    """One split in documents and words."""

    rows: int
    labels: dict[str, int]
    duplicates: int
    words: Lengths

    @property
    def absent(self) -> list[str]:
        """The classes that it has no document of; none if it has no documents at all."""
        return [label for label, rows in self.labels.items() if not rows] if self.rows else []


class Split(Record, Section):
    """How the documents were parted, and what the parts are like."""

    FILE: ClassVar = "split.json"
    STAGE: ClassVar = "split"

    seed: int
    by: Literal["text", "group"]
    left_out: dict[str, int]  # by split, for split.sizes
    unlabelled_in_test: int
    twins: dict[str, int] = {}  # by split, left out for `split.twins`
    splits: dict[str, Part]
    overlap: dict[str, int]  # "train-test": documents of test whose texts stand in train
    near: dict[str, int] = {}  # "train-test": documents of test that stand in train with a word or two changed
    near_drawn: dict[str, int] = {}  # by split: of how many that was counted, where not of all
    shared_groups: dict[str, int] = {}  # "train-test": documents of test whose group has documents in train, too
    conflicts: int  # texts with more than one label


class Ids(Section):
    """One split in ids; `unknown` is the share that no token of the vocabulary stands for."""

    tokens: int
    unknown: float
    lengths: Lengths


class Vocabulary(Record, Section):
    """What was counted while the training split was encoded."""

    FILE: ClassVar = "vocab-{}.json"
    STAGE: ClassVar = "vocab"

    vocabulary: int
    train: Ids


class Tokenized(Record, Section):
    """All splits in one tokenizer's ids."""

    FILE: ClassVar = "encode-{}.json"
    STAGE: ClassVar = "encode"

    vocabulary: int
    splits: dict[str, Ids]


class Vectors(Record, Section):
    """Where a tokenizer's word vectors come from and what they cover; only `source`, None, where there are none."""

    FILE: ClassVar = "vectors-{}.json"
    STAGE: ClassVar = "vectors"

    source: str | None
    origin: Annotated[str, Field(alias="from")] = ""  # a file's name, or a method
    in_file: int = 0
    duplicates: int = 0
    zeros: int = 0
    size: int = 0
    words: int = 0
    found: int = 0
    coverage: float = 0.0  # share of the words
    running: float = 0.0  # share of the running words of train

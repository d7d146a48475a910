"""What people call the splits of their data, in a column and in the names of files."""

import re
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Literal

Split = Literal["train", "validation", "test", "unlabelled"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test", "unlabelled")
NAMES: dict[Split, tuple[str, ...]] = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "validate", "dev", "devel", "development", "eval", "evaluation"),
    "test": ("test", "testing", "holdout", "heldout"),
    "unlabelled": ("unlabelled", "unlabeled", "unsupervised", "unsup"),
}
KNOWN: dict[str, Split] = {word: split for split, words in NAMES.items() for word in words}
WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")  # of camelCase too


def split_named(name: str) -> Split | None:
    """The split that a cell names ('TEST', 'held-out', 'train_set'), None if it names none."""
    word = re.sub(r"[\W_]+", "", name.lower())
    return KNOWN.get(word) or KNOWN.get(word.removesuffix("set"))


def split_of_file(path: str) -> Split | None:
    """The split that a file's name tells, or else its folder's ('sst/dev.tsv', 'test/part1.csv'), None if none does."""
    file, *folders = reversed(PurePosixPath(path).parts)
    for name in (file, *folders[:1]):
        words = [word.lower() for word in WORDS.findall(name)]
        told = {KNOWN[word] for word in [*words, *map("".join, pairwise(words))] if word in KNOWN}
        if told:
            return told.pop() if len(told) == 1 else None
    return None

"""The names that people give the splits of their data, in a column and in file names."""

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
WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")  # also splits camelCase


def split_named(name: str) -> Split | None:
    """Returns the split that a cell names ('TEST', 'held-out', 'train_set'), or None."""
    word = re.sub(r"[\W_]+", "", name.lower())
    return KNOWN.get(word) or KNOWN.get(word.removesuffix("set"))


def split_of_file(path: str) -> Split | None:
    """Returns the split named by a file, or else by its folder ('sst/dev.tsv', 'test/part1.csv'), or None."""
    file, *folders = reversed(PurePosixPath(path).parts)
    for name in (file, *folders[:1]):
        words = [word.lower() for word in WORDS.findall(name)]
        named = {KNOWN[word] for word in [*words, *map("".join, pairwise(words))] if word in KNOWN}
        if named:
            return named.pop() if len(named) == 1 else None
    return None

"""Facts about a data set, read completely and as the pipeline reads it, in memory that does not grow with its texts."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from textmill.errors import DataError
from textmill.look.columns import gain
from textmill.look.similar import SimilarLabel, similar_labels
from textmill.rows.cleaning import CleanConfig, Cleaner, check_ids
from textmill.rows.hashing import keys
from textmill.rows.labels import canonical
from textmill.rows.near import Lookup, batches, sketch
from textmill.rows.reading import read_part
from textmill.rows.splits import SPLITS, SplitConfig, check_rows, text_key
from textmill.sources.files import LocalFile
from textmill.sources.parts import Part, parts_of

SHOWN = 5_000  # texts sampled for scripts and near copies, by their keys
AMONG = 50_000  # first rows, among which near copies are searched
LONG = 2_000  # characters of a text that are looked at for both
SEED = 0  # of the hash; the counts do not depend on it

SCRIPTS = ("Latin", "Cyrillic", "Greek", "Han", "Kana", "Hangul", "Arabic", "Hebrew", "Devanagari", "Bengali", "Tamil",
           "Telugu", "Thai", "Lao", "Khmer", "Myanmar", "Georgian", "Armenian", "Ethiopic")  # fmt: skip
UNSPACED = ("Han", "Kana", "Thai", "Lao", "Khmer", "Myanmar")  # scripts without spaces between words
EMOJI = r"[\p{Extended_Pictographic}--[©®™]]"


@dataclass
class Facts:
    """Facts about a data set. Counts are of documents (rows that can be used) unless they say otherwise."""

    rows: int = 0  # in the files
    kept: int = 0  # of these rows, documents
    dropped: dict[str, int] = field(default_factory=dict)  # rows, by reason
    read_as: dict[str, str] = field(default_factory=dict)  # encodings, by file
    twice_encoded: int = 0
    labels: dict[str, int] = field(default_factory=dict)  # documents of each class, the largest first
    spellings: dict[str, list[str]] = field(default_factory=dict)  # of a class that the file writes in several ways
    similar: list[SimilarLabel] = field(default_factory=list)  # classes that are probably the same
    problem: str = ""  # why `clean` would stop
    splits: dict[str, int] = field(default_factory=dict)  # those that the data brings
    words: dict[str, int] = field(default_factory=dict)  # median and p95 of the texts' lengths
    letters: int = 0  # the sampled texts' median length in characters
    scripts: dict[str, float] = field(default_factory=dict)  # share of the letters, largest first
    emoji: float = 0.0  # share of the texts that contain one
    doubled: int = 0  # documents whose text also occurs earlier
    conflicts: int = 0  # texts with several labels
    near: int = 0  # sampled texts with a near copy
    looked_up: int = 0
    groups: int = 0
    group_gain: float = 0.0  # share of labels that the rest of a group predicts beyond always guessing the most common
    overlap: dict[str, int] = field(default_factory=dict)  # "train-test": documents of test that are also in train
    needed: int = 1  # documents needed of each class: one for train and for each split to be made
    uncut: dict[str, int] = field(default_factory=dict)  # documents of each class that can be split
    test: int = 0  # documents that the test split will have

    @property
    def unspaced(self) -> float:
        """Share of the letters whose scripts put no spaces between words."""
        return sum(self.scripts.get(script, 0.0) for script in UNSPACED)

    @property
    def commonest(self) -> tuple[str, float]:
        """The largest class and its share."""
        label = next(iter(self.labels), "")
        return label, self.labels.get(label, 0) / max(sum(self.labels.values()), 1)


def facts(dataset: LocalFile, clean: CleanConfig, split: SplitConfig, root: Path = Path()) -> Facts:
    """Returns facts about a data set. Reads its files twice, without copying them.

    root: the folder that `dataset.path` is relative to. Raises what `download` and `clean` would raise before they
    count; what `clean` would raise after that is in `problem`.
    """
    parts = list(_parts(dataset, root))
    cleaner = Cleaner(dataset.labels, clean)
    found, tallies, ids, said = Facts(), [], [], Counter[str]()
    shown = pl.DataFrame(schema={"key": pl.UInt64, "text": pl.String})
    for rows in _read(parts, dataset, clean):
        found.rows += len(rows)
        said.update(dict(rows["label"].drop_nulls().value_counts().iter_rows()))
        docs = cleaner.keep(rows)
        some = pl.DataFrame({"key": keys(text_key(docs["text"])), "text": docs["text"].str.slice(0, LONG)})
        shown = pl.concat([shown, some]).unique("key", maintain_order=True).bottom_k(SHOWN, by="key")
        ids += [docs.select("file", "row", "id")] if dataset.id else []
        lengths = docs["text"].str.count_matches(r"\S+")
        tallies.append(docs.select("label", "split", text=some["key"], words=lengths, group=keys(docs["group"])))
    docs = pl.concat(tallies)
    found.kept = len(docs)
    _count(found, docs)
    counts: dict[str, Any] = {}
    try:
        classes, counts = cleaner.finish()
        sizes = np.array([found.uncut.get(label, 0) for label in classes])
        check_rows(sizes, classes, list(range(1, found.needed)))
        if ids:
            check_ids(pl.concat(ids))
    except DataError as error:
        found.problem = str(error)
    for name in ("rows", "kept", "dropped", "read_as", "twice_encoded"):
        setattr(found, name, counts.get(name, getattr(found, name)))
    found.spellings = _spellings(said)
    found.similar = similar_labels(found.labels)
    found.test = found.splits.get("test") or round(split.test * sum(found.labels.values()))
    _of_texts(found, shown["text"])
    _near(found, shown["text"], (part["text"] for part in _kept(parts, dataset, clean)))
    return found


def _parts(dataset: LocalFile, root: Path) -> Iterator[tuple[Path, Part]]:
    """Yields each part with the folder of its file."""
    for side, file in dataset.files().items():
        path = root / file.path
        by_name = dataset.split is None
        parts = parts_of(path, "", dataset.members, split=side, kind=dataset.format, by_name=by_name)
        yield from ((path.parent, part) for part in parts)


def _read(parts: list[tuple[Path, Part]], dataset: LocalFile, clean: CleanConfig) -> Iterator[pl.DataFrame]:
    for folder, part in parts:
        yield from read_part(folder, part, dataset, clean.max_chars)


def _kept(parts: list[tuple[Path, Part]], dataset: LocalFile, clean: CleanConfig) -> Iterator[pl.DataFrame]:
    cleaner, count = Cleaner(dataset.labels, clean), 0
    for rows in _read(parts, dataset, clean):
        docs = cleaner.keep(rows)[: AMONG - count]
        count += len(docs)
        yield docs
        if count >= AMONG:
            return


def _count(found: Facts, docs: pl.DataFrame) -> None:
    """Sets the facts that follow from label, split, text, words and group of all documents."""
    found.labels, found.splits = _sizes(docs, "label"), _sizes(docs, "split")
    missing = [number for number, name in enumerate(SPLITS) if number and name not in found.splits]
    found.needed = 1 + len(missing)
    found.uncut = _sizes(docs.filter(pl.col("split").is_null() | (pl.col("split") == "train")), "label")
    texts = {name: docs.filter(split=name)["text"] for name in SPLITS if name in found.splits}
    for first, second in combinations(texts, 2):
        found.overlap[f"{first}-{second}"] = int(texts[second].is_in(texts[first].implode()).sum())
    words = docs["words"].to_numpy()
    if len(words):
        found.words = {"median": int(np.median(words)), "p95": int(np.percentile(words, 95, method="lower"))}
    found.doubled = len(docs) - docs["text"].n_unique()
    pairs = docs.select("text", "label").drop_nulls().unique()
    found.conflicts = len(pairs) - pairs["text"].n_unique()
    grouped = docs.drop_nulls(["group", "label"])
    if len(grouped):
        found.groups = grouped["group"].n_unique()
        found.group_gain = gain(grouped["label"].to_list(), grouped["group"].to_list())


def _sizes(docs: pl.DataFrame, name: str) -> dict[str, int]:
    """Returns the number of documents for each value, most frequent first."""
    return dict(docs[name].drop_nulls().value_counts().sort("count", name, descending=[True, False]).iter_rows())


def _spellings(said: Counter[str]) -> dict[str, list[str]]:
    """Returns the classes that the file writes in several ways, beyond spaces around them, such as '0' and '0.0'."""
    ways: dict[str, set[str]] = {}
    for label in sorted(said):  # polars counts values in no fixed order
        ways.setdefault(canonical(label), set()).add(label.strip())
    return {label: sorted(some) for label, some in ways.items() if len(some) > 1}


def _of_texts(found: Facts, texts: pl.Series) -> None:
    if not len(texts):
        return
    counts: dict[str, int] = {}
    for script in SCRIPTS:
        pattern = r"[\p{Hiragana}\p{Katakana}]" if script == "Kana" else rf"\p{{{script}}}"
        counts[script] = int(texts.str.count_matches(pattern).sum())
    letters = max(int(texts.str.count_matches(r"\p{L}").sum()), 1)
    shares = {script: count / letters for script, count in counts.items() if count / letters >= 0.005}
    found.scripts = dict(sorted(shares.items(), key=lambda one: -one[1]))
    found.emoji = float(texts.str.contains(EMOJI).mean() or 0)  # type: ignore[arg-type]  # of bools
    found.letters = int(np.median(texts.str.len_chars().to_numpy()))


def _near(found: Facts, texts: pl.Series, among: Iterator[pl.Series]) -> None:
    """Counts the texts with a near copy among the documents."""
    found.looked_up = len(texts)
    if not len(texts):
        return
    lookup = Lookup(sketch(texts, SEED))
    for some in batches(among):
        lookup.look_among(sketch(some.str.slice(0, LONG), SEED))
    found.near = lookup.found


def as_config(dataset: dict[str, Any]) -> LocalFile:
    """Returns a proposed section as its source's config. Raises ParamsError with the key's path."""
    from textmill.config import validate

    return validate(dataset, LocalFile, "dataset")

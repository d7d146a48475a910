"""Splits documents into train, validation and test: seeded, stratified, with equal texts on one side."""

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

import numpy as np
import polars as pl
from pydantic import model_validator

from textmill.config import Count, Fraction, Section
from textmill.errors import DataError
from textmill.rows.hashing import keys
from textmill.rows.labels import nearest
from textmill.rows.shares import even_out

SPLITS = ("train", "validation", "test")
SIDES = pl.Enum([*SPLITS, "unlabelled"])


class Sizes(Section):
    """The maximum number of documents in each split; further ones are left out."""

    train: Count  # documents
    validation: Count  # documents
    test: Count  # documents


class SplitConfig(Section):
    """The shares of documents for splits that the data does not bring (shares of the rest, if it brings some)."""

    validation: Fraction = 0.1  # share of the documents
    test: Fraction = 0.2  # share of the documents
    # What must stay on one side: equal texts, or equal texts *and* equal groups, such as all reviews of a film.
    by: Literal["text", "group"] = "text"
    sizes: Sizes | None = None  # at most this many documents in each split, stratified
    # Documents outside of test that are equal to a test document, or nearly: keep, or leave_out to remove them before
    # anything is learned. Contrast sets need leave_out, because their originals are in train.
    twins: Literal["keep", "leave_out"] = "keep"

    @model_validator(mode="after")
    def _leave_something(self) -> "SplitConfig":
        if self.validation + self.test >= 1:
            raise ValueError(f"validation: {self.validation} and test: {self.test} leave nothing to train on")
        return self


def outline(docs: pl.DataFrame, labels: list[str]) -> pl.DataFrame:
    """Returns what `split` and `profile` need to know of documents: 22 bytes each, however long their texts.

    text: the key of its `text_key`; group: the key of the group; label; split: the given one; words: the text's
    length.
    """
    return docs.select(
        text=keys(text_key(docs["text"])),
        group=keys(docs["group"]),
        label=pl.col("label").cast(pl.Enum(labels)),
        split=pl.col("split").cast(SIDES),
        words=pl.col("text").str.count_matches(r"\S+"),
    )


def split(docs: pl.DataFrame, labels: list[str], config: SplitConfig, seed: int) -> pl.Series:
    """Returns the side of each document of an `outline`: train, validation, test or unlabelled, SIDES (N,).

    Given splits stay as they are. Missing ones are split off: test from the labelled documents without a split (or from
    the training ones, if all have one), then validation from the training ones. A document that must stay with one of
    another given split is not moved.

    Raises DataError if a class has fewer rows than there are splits, if train would lack a class, if another split
    would be empty, or if `by: group` finds no groups.
    """
    if config.by == "group" and docs["group"].null_count() == len(docs):
        raise DataError(
            "split.by: group needs a group column, but dataset.group is null; name one, or set split.by: text"
        )
    train, validation, test, unlabelled = range(4)
    given = docs["split"].to_physical()
    side = given.fill_null(train).to_numpy(writable=True)
    free = given.is_null().to_numpy()
    pieces = piece_numbers(docs, config.by)
    classes = docs["label"].to_physical().cast(pl.Int32).fill_null(-1).to_numpy()
    rng = np.random.default_rng(seed)
    shares = {test: config.test, validation: config.validation}
    if not (given == test).any():
        shares[validation] /= 1 - config.test  # share of what is left after test
    missing = [number for number in shares if not (given == number).any()]
    check_rows(np.bincount(classes[(side == train) & (classes >= 0)], minlength=len(labels)), labels, missing)
    for number in missing:
        share = shares[number]
        name = SPLITS[number]
        if share == 0:
            raise DataError(f"split.{name}: 0, but the data brings no {name} split; expected a share such as 0.1")
        source = free if number == test and free.any() else side == train
        tied = np.isin(pieces, pieces[~source & (side != unlabelled)])
        rows = np.flatnonzero(source & ~tied)
        if not len(rows):
            raise DataError(
                f"split.{name}: every document is tied to a given split, so none can be split off; give {name} too"
            )
        aside = split_off(pieces[rows], classes[rows], share, rng)
        side[rows[even_out(aside, pieces[rows], classes[rows], share, rng)]] = number
    for number, name in enumerate(SPLITS):
        present = set(classes[side == number])
        absent = [label for code, label in enumerate(labels) if code not in present]
        if absent and (name == "train" or not (side == number).any()):
            raise DataError(
                f"split: {name} has no document of class {absent[0]!r}; give more rows or a larger split.{name}"
            )
    return pl.Series(SIDES.categories, dtype=SIDES).gather(side)


def check_rows(counts: np.ndarray, labels: list[str], missing: list[int]) -> None:
    """Raises DataError if a class has too few rows, by counts (C,), for train and each of the missing splits."""
    need = 1 + len(missing)
    rare = {label: rows for label, rows in zip(labels, counts.tolist(), strict=True) if 0 < rows < need}
    if not missing or not rare:
        return
    others = [label for label in labels if label not in rare]
    like = {label: nearest(label, others) for label in [*rare][:3]}
    short = ", ".join(
        f"{label!r} has {rare[label]}" + (f" (is it {near!r}?)" if near else "") for label, near in like.items()
    )
    more = f", and {len(rare) - 3:,} more have too few" if len(rare) > 3 else ""
    names = ", ".join(f"{label}: {near or 'null'}" for label, near in like.items())
    raise DataError(
        f"a class needs {need} rows, one for each split, but {short}{more}; add rows, rename it, or leave it out "
        f"with null, as in dataset.labels: {{{names}}}"
    )


def limit(sides: pl.Series, docs: pl.DataFrame, sizes: Sizes, seed: int) -> pl.Series:
    """Returns `split`'s sides (N,), with null for documents beyond a split's size; which ones, `seed` decides.

    Classes keep their shares, rounded by largest remainder. Unlabelled documents stay. Raises DataError if a class that
    is present would lose all its documents.
    """
    known = docs["label"].dtype
    assert isinstance(known, pl.Enum)  # made by `outline`
    classes, names = docs["label"].to_physical(), known.categories
    kept = np.ones(len(docs), bool)
    rng = np.random.default_rng(seed)
    for name in SPLITS:
        rows = np.flatnonzero((sides == name).to_numpy())
        size = getattr(sizes, name)
        if size >= len(rows):
            continue
        own = classes.gather(rows).to_numpy()
        counts = np.bincount(own, minlength=len(names))
        quota = quotas(counts, size)
        for kind in np.flatnonzero(counts).tolist():
            if not quota[kind]:
                raise DataError(
                    f"split.sizes.{name}: {size} leaves none of the {counts[kind]} documents of class {names[kind]!r}; "
                    "give a larger size"
                )
            kept[rng.permutation(rows[own == kind])[quota[kind] :]] = False
    return pl.select(pl.when(pl.Series(kept)).then(sides)).to_series()


def quotas(counts: np.ndarray, size: int) -> np.ndarray:
    """Returns `size` divided in proportion to int counts (C,), by largest remainder; ties go to the first."""
    exact = counts * size / counts.sum()
    kept = exact.astype(np.int64)
    kept[np.argsort(kept - exact, kind="stable")[: size - kept.sum()]] += 1
    return kept


class Partition(NamedTuple):
    """The side of each document, null if it is left out, and the rows of train whose text is also in test."""

    sides: pl.Series
    left_out: dict[str, int]  # by split, because of `sizes`
    unlabelled_in_test: int  # left out as well
    train_in_test: list[int]
    twins: dict[str, int] = {}  # by split, documents left out because their texts are in test

    @property
    def counts(self) -> dict[str, Any]:
        """The counts to report. Twins are among them only if they were looked for."""
        found = {"left_out": self.left_out, "unlabelled_in_test": self.unlabelled_in_test}
        return found | ({"twins": self.twins} if self.twins else {})


def partition(docs: pl.DataFrame, labels: list[str], config: SplitConfig, seed: int) -> Partition:
    """Returns the parts that documents of an `outline` are split into. Raises DataError like `split`."""
    sides = whole = split(docs, labels, config, seed)
    if config.sizes:
        sides = limit(whole, docs, config.sizes, seed)
    left_out = {name: int((whole == name).sum()) - int((sides == name).sum()) for name in SPLITS}
    repeated = in_test(docs, sides)
    leaking = pl.Series(repeated) & (sides == "unlabelled")  # models may learn from these, but must not see the test
    sides = sides.set(leaking, None)
    rows = np.flatnonzero(repeated[(sides == "train").fill_null(False).to_numpy()])
    return Partition(sides, left_out, int(leaking.sum()), rows.tolist())


def without_twins(parts: Partition, docs: pl.DataFrame, labels: list[str], twins: np.ndarray) -> Partition:
    """Returns the parts without the documents marked in `twins`, bool (N,).

    Raises DataError if train would then lack a class, or validation have no documents.
    """
    sides = parts.sides.set(pl.Series(twins), None)
    gone = {name: int((parts.sides.filter(pl.Series(twins)) == name).sum()) for name in SIDES.categories}
    left = docs["label"].filter((sides == "train").fill_null(False))
    lost = [label for label in labels if not (left == label).any()]
    if lost or not (sides == "validation").any():
        what = f"train has no document of class {lost[0]!r}" if lost else "validation has no document"
        raise DataError(f"split.twins: leave_out, but then {what}; add rows, or set it to keep")
    rows = np.flatnonzero(in_test(docs, sides)[(sides == "train").fill_null(False).to_numpy()])
    del gone["test"]
    return parts._replace(sides=sides, train_in_test=rows.tolist(), twins=gone)


def text_key(texts: pl.Series) -> pl.Series:
    """Returns a text that is equal for texts that differ only in case and spaces."""
    return texts.str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars()


def in_test(docs: pl.DataFrame, sides: pl.Series) -> np.ndarray:
    """Returns which documents of an `outline` share their text with a test document, bool (N,)."""
    texts = docs["text"].to_numpy()
    return among(texts, np.sort(texts[(sides == "test").fill_null(False).to_numpy()]))


def among(keys: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Returns which keys (N,) are among `known`, which is sorted: bool (N,). Takes less memory than a hash table."""
    if not len(known):
        return np.zeros(len(keys), bool)
    return known[np.searchsorted(known, keys).clip(max=len(known) - 1)] == keys


def piece_numbers(docs: pl.DataFrame, by: str) -> np.ndarray:
    """Returns a number for each row of an `outline`, int64 (N,): rows with the same number must stay in one split.

    Equal texts tie rows, and so do equal groups. Ties are transitive: the numbers are the connected components.
    """
    texts = docs["text"].rank("dense").to_numpy().astype(np.int64) - 1
    if by == "text":
        return texts
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    grouped = docs["group"].is_not_null().to_numpy()
    groups = docs["group"].rank("dense").fill_null(0).to_numpy().astype(np.int64)
    first_group = int(texts.max()) + 1
    nodes = first_group + int(groups.max()) + 1
    edges = (np.ones(grouped.sum()), (texts[grouped], first_group + groups[grouped]))
    _, component = connected_components(coo_array(edges, shape=(nodes, nodes)), directed=False)
    return component[texts]


def pieces(parts: Iterable[pl.DataFrame], labels: list[str], by: str) -> np.ndarray:
    """Returns `piece_numbers` for documents that come in parts, with the columns text, label and group."""
    return piece_numbers(
        pl.concat(outline(some.with_columns(split=pl.lit(None, pl.String)), labels) for some in parts), by
    )


def split_off(pieces: np.ndarray, classes: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Returns the rows to put aside, bool (N,): whole pieces, `share` of every class as nearly as the pieces allow.

    pieces, classes: int (N,). Greedy, the largest pieces first (equal ones in random order): a piece goes to the side
    that lacks its classes more, as in scikit-learn's StratifiedGroupKFold.
    """
    _, piece, sizes = np.unique(pieces, return_inverse=True, return_counts=True)
    _, kind = np.unique(classes, return_inverse=True)
    order = rng.permutation(len(sizes))
    order = order[np.argsort(-sizes[order], kind="stable")]
    several = order[: np.count_nonzero(sizes > 1)]
    row = np.full(len(sizes), -1)  # (P,): a piece of several documents' row in counts
    row[several] = np.arange(len(several))
    counts = np.zeros((len(several), kind.max() + 1))  # (S, C): documents of each class in such a piece
    of_several = row[piece] >= 0
    np.add.at(counts, (row[piece[of_several]], kind[of_several]), 1)
    alone = np.empty(len(sizes), int)
    alone[piece] = kind  # (P,): the class of a piece of one document

    total = np.bincount(kind) * np.array([[share], [1 - share]])  # (2, C)
    lacking = total.copy()
    aside = np.zeros(len(sizes), bool)
    for number, count in zip(several.tolist(), counts, strict=True):
        need = (count * lacking / total).sum(axis=1)
        taken = int(need[1] >= need[0])  # 0: put aside
        aside[number] = taken == 0
        lacking[taken] -= count
    (lacking_aside, lacking_rest), (total_aside, total_rest) = lacking.tolist(), total.tolist()
    for number, c in zip(order[len(several) :].tolist(), alone[order[len(several) :]].tolist(), strict=True):
        if lacking_rest[c] / total_rest[c] >= lacking_aside[c] / total_aside[c]:
            lacking_rest[c] -= 1
        else:
            aside[number] = True
            lacking_aside[c] -= 1
    return aside[piece]

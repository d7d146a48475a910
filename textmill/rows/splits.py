"""Who trains, who chooses, who judges: seeded, stratified, and with equal texts on one side."""

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
    """Documents of each split, at most: `limit` leaves the others out."""

    train: Count  # documents
    validation: Count  # documents
    test: Count  # documents


class SplitConfig(Section):
    """Shares of the documents, used for the splits that the data does not bring itself (of the rest, where it does)."""

    validation: Fraction = 0.1  # share of the documents
    test: Fraction = 0.2  # share of the documents
    # What stays on one side: equal texts; or equal texts *and* equal groups, say all reviews of a film.
    by: Literal["text", "group"] = "text"
    sizes: Sizes | None = None  # at most so many documents of each split, stratified
    # Twins of test documents outside of test, equal texts and near copies: leave_out takes them away before anything is
    # learned, as a contrast set needs it, whose originals stand in train.
    twins: Literal["keep", "leave_out"] = "keep"

    @model_validator(mode="after")
    def _leave_something(self) -> "SplitConfig":
        if self.validation + self.test >= 1:
            raise ValueError(f"validation: {self.validation} and test: {self.test} leave nothing to train on")
        return self


def outline(docs: pl.DataFrame, labels: list[str]) -> pl.DataFrame:
    """What `split` and `profile` need to know of documents: 22 bytes each, whatever their texts' lengths.

    text: the key of its `text_key`; group: the key of the group; label; split: the given one; words: the text's length.
    """
    return docs.select(
        text=keys(text_key(docs["text"])),
        group=keys(docs["group"]),
        label=pl.col("label").cast(pl.Enum(labels)),
        split=pl.col("split").cast(SIDES),
        words=pl.col("text").str.count_matches(r"\S+"),
    )


def split(docs: pl.DataFrame, labels: list[str], config: SplitConfig, seed: int) -> pl.Series:
    """The side of each document of an `outline`: train, validation, test or unlabelled, SIDES (N,).

    Given splits are kept as they are. What is missing is cut: test from the labelled documents that have no split (or,
    if all have one, from the training ones), then validation from the training ones. A document that must stay with a
    given one of another split is not cut.
    Raises DataError if a class has fewer rows than splits, if train would lack one, another split be empty, or if
    `by: group` finds no group at all.
    """
    if config.by == "group" and docs["group"].null_count() == len(docs):
        raise DataError(
            "split.by: group needs a group column, but dataset.group is null; name one, or set split.by: text"
        )
    train, validation, test, unlabelled = range(4)
    given = docs["split"].to_physical()
    side = given.fill_null(train).to_numpy(writable=True)
    free = given.is_null().to_numpy()
    pieces = together(docs, config.by)
    classes = docs["label"].to_physical().cast(pl.Int32).fill_null(-1).to_numpy()
    rng = np.random.default_rng(seed)
    shares = {test: config.test, validation: config.validation}
    if not (given == test).any():
        shares[validation] /= 1 - config.test  # of what is left then
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
                f"split.{name}: no document can be cut that does not belong to a given split; give {name} too"
            )
        aside = cut(pieces[rows], classes[rows], share, rng)
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
    """Raise DataError if one of the counts (C,) of classes leaves no row for train and each of the missing splits."""
    need = 1 + len(missing)
    rare = {label: rows for label, rows in zip(labels, counts.tolist(), strict=True) if 0 < rows < need}
    if not missing or not rare:
        return
    others = [label for label in labels if label not in rare]
    like = {label: nearest(label, others) for label in [*rare][:3]}
    told = ", ".join(
        f"{label!r} has {rare[label]}" + (f" (is it {near!r}?)" if near else "") for label, near in like.items()
    )
    more = f", and {len(rare) - 3:,} more have too few" if len(rare) > 3 else ""
    names = ", ".join(f"{label}: {near or 'null'}" for label, near in like.items())
    raise DataError(
        f"a class needs {need} rows, one for each split, but {told}{more}; give it more, rename it, or leave it out "
        f"with null, as in dataset.labels: {{{names}}}"
    )


def limit(sides: pl.Series, docs: pl.DataFrame, sizes: Sizes, seed: int) -> pl.Series:
    """`split`'s sides (N,), null where a split holds more than its size: so many of each class stay, drawn by `seed`.

    Classes keep their shares, rounded by largest remainder. Unlabelled documents stay as they are.
    Raises DataError if none of a class that is there would stay.
    """
    known = docs["label"].dtype
    assert isinstance(known, pl.Enum)  # `outline` makes it
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
    """`size` shared out in proportion to int counts (C,), by largest remainder; among equals the first."""
    exact = counts * size / counts.sum()
    kept = exact.astype(np.int64)
    kept[np.argsort(kept - exact, kind="stable")[: size - kept.sum()]] += 1
    return kept


class Parts(NamedTuple):
    """The side of each document as of `split`, null where it is left out, and the rows of train with a text of test."""

    sides: pl.Series
    left_out: dict[str, int]  # by split, for `sizes`
    unlabelled_in_test: int  # left out, too
    train_in_test: list[int]
    twins: dict[str, int] = {}  # by split, of documents that were left out because their texts stand in test

    @property
    def counts(self) -> dict[str, Any]:
        """What is told of it; of twins, where they were looked for."""
        found = {"left_out": self.left_out, "unlabelled_in_test": self.unlabelled_in_test}
        return found | ({"twins": self.twins} if self.twins else {})


def part(docs: pl.DataFrame, labels: list[str], config: SplitConfig, seed: int) -> Parts:
    """All that becomes of the documents of an `outline`. Raises DataError where `split` does."""
    sides = whole = split(docs, labels, config, seed)
    if config.sizes:
        sides = limit(whole, docs, config.sizes, seed)
    left_out = {name: int((whole == name).sum()) - int((sides == name).sum()) for name in SPLITS}
    repeated = in_test(docs, sides)
    leaking = pl.Series(repeated) & (sides == "unlabelled")  # a model may learn from those, and must not from the test
    sides = sides.set(leaking, None)
    rows = np.flatnonzero(repeated[(sides == "train").fill_null(False).to_numpy()])
    return Parts(sides, left_out, int(leaking.sum()), rows.tolist())


def apart(parts: Parts, docs: pl.DataFrame, labels: list[str], twins: np.ndarray) -> Parts:
    """The parts of an `outline`'s documents without some of these, bool (N,).

    Raises DataError if train would lack a class then, or validation have no document.
    """
    sides = parts.sides.set(pl.Series(twins), None)
    gone = {name: int((parts.sides.filter(pl.Series(twins)) == name).sum()) for name in SIDES.categories}
    left = docs["label"].filter((sides == "train").fill_null(False))
    lost = [label for label in labels if not (left == label).any()]
    if lost or not (sides == "validation").any():
        what = f"train has no document of class {lost[0]!r}" if lost else "validation has no document"
        raise DataError(f"split.twins: leave_out, but then {what}; give more rows, or set it to keep")
    rows = np.flatnonzero(in_test(docs, sides)[(sides == "train").fill_null(False).to_numpy()])
    del gone["test"]
    return parts._replace(sides=sides, train_in_test=rows.tolist(), twins=gone)


def text_key(texts: pl.Series) -> pl.Series:
    """Equal for texts that differ only in case and spaces."""
    return texts.str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars()


def in_test(docs: pl.DataFrame, sides: pl.Series) -> np.ndarray:
    """Documents of an `outline` whose text is also that of a test document, bool (N,); `sides` as of `split`."""
    texts = docs["text"].to_numpy()
    return among(texts, np.sort(texts[(sides == "test").fill_null(False).to_numpy()]))


def among(keys: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Which of the keys (N,) are among the known ones, which are sorted: bool (N,). It takes less than a hash table."""
    if not len(known):
        return np.zeros(len(keys), bool)
    return known[np.searchsorted(known, keys).clip(max=len(known) - 1)] == keys


def together(docs: pl.DataFrame, by: str) -> np.ndarray:
    """A number for each row of an `outline`, int64 (N,): rows with the same number must stay in one split.

    Equal texts tie rows, and so do equal groups; ties chain (the connected components of both).
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
    """`together` of documents that come in parts, with the columns text, label and group."""
    return together(pl.concat(outline(some.with_columns(split=pl.lit(None, pl.String)), labels) for some in parts), by)


def cut(pieces: np.ndarray, classes: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Rows to put aside, bool (N,): whole pieces, `share` of every class as nearly as the pieces allow.

    pieces, classes: int (N,). Greedy, the largest pieces first (equal ones in random order): a piece goes to the side
    that lacks its classes more, as in scikit-learn's StratifiedGroupKFold.
    """
    _, piece, sizes = np.unique(pieces, return_inverse=True, return_counts=True)
    _, kind = np.unique(classes, return_inverse=True)
    order = rng.permutation(len(sizes))
    order = order[np.argsort(-sizes[order], kind="stable")]
    several = order[: np.count_nonzero(sizes > 1)]
    row = np.full(len(sizes), -1)  # (P,): the row in counts of a piece of several documents
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

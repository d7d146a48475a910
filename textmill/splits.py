"""Who trains, who chooses, who judges: seeded, stratified, and with equal texts on one side."""

from typing import Literal

import numpy as np
import polars as pl
from pydantic import model_validator

from textmill.config import Fraction, Section
from textmill.errors import DataError

SPLITS = ("train", "validation", "test")


class SplitConfig(Section):
    """Shares of the documents, used for the splits that the data does not bring itself (of the rest, where it does)."""

    validation: Fraction
    test: Fraction
    by: Literal["text", "group"]  # group: equal texts *and* equal groups (say, reviews of one film) stay together

    @model_validator(mode="after")
    def _leave_something(self) -> "SplitConfig":
        if self.validation + self.test >= 1:
            raise ValueError(f"validation: {self.validation} and test: {self.test} leave nothing to train on")
        return self


def split(docs: pl.DataFrame, labels: list[str], config: SplitConfig, seed: int) -> dict[str, pl.DataFrame]:
    """Documents of each split (train, validation, test, unlabelled), each in the order of `docs`.

    Given splits are kept as they are. What is missing is cut: test from the labelled documents that have no split (or,
    if all have one, from the training ones), then validation from the training ones. A document that must stay with a
    given one of another split is not cut.
    Raises DataError if train would lack a class, another split be empty, or if `by: group` finds no group at all.
    """
    if config.by == "group" and docs["group"].null_count() == len(docs):
        raise DataError(
            "split.by: group needs a group column, but dataset.group is null; name one, or set split.by: text"
        )
    given = docs["split"]
    side = given.fill_null("train").to_numpy().astype(object)
    free = given.is_null().to_numpy()
    pieces = together(docs, config.by)
    classes = docs["label"].replace_strict(labels, list(range(len(labels))), default=None).fill_null(-1).to_numpy()
    rng = np.random.default_rng(seed)
    shares = {"test": config.test, "validation": config.validation}
    if not (given == "test").any():
        shares["validation"] /= 1 - config.test  # of what is left then
    for name, share in shares.items():
        if (given == name).any():
            continue
        if share == 0:
            raise DataError(f"split.{name}: 0, but the data brings no {name} split; expected a share such as 0.1")
        source = free if name == "test" and free.any() else side == "train"
        tied = np.isin(pieces, pieces[~source & (side != "unlabelled")])
        rows = np.flatnonzero(source & ~tied)
        if not len(rows):
            raise DataError(
                f"split.{name}: no document can be cut that does not belong to a given split; give {name} too"
            )
        chosen = rows[cut(pieces[rows], classes[rows], share, rng)]
        side[chosen] = name
    parts = {name: docs.filter(pl.Series(side == name)).drop("split") for name in (*SPLITS, "unlabelled")}
    for name in SPLITS:
        absent = [label for label in labels if label not in set(parts[name]["label"])]
        if absent and (name == "train" or parts[name].is_empty()):
            raise DataError(
                f"split: {name} has no document of class {absent[0]!r}; give more rows or a larger split.{name}"
            )
    return parts


def text_key(texts: pl.Series) -> pl.Series:
    """Equal for texts that differ only in case and spaces."""
    return texts.str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars()


def together(docs: pl.DataFrame, by: str) -> np.ndarray:
    """A number for each row, int64 (N,): rows with the same number must stay in one split.

    Equal texts tie rows, and so do equal groups; ties chain (the connected components of both).
    """
    texts = text_key(docs["text"]).rank("dense").to_numpy().astype(np.int64) - 1
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


def cut(pieces: np.ndarray, classes: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Rows to put aside, bool (N,): whole pieces, `share` of every class as nearly as the pieces allow.

    pieces, classes: int (N,). Greedy, the largest pieces first (equal ones in random order): a piece goes to the side
    that lacks its classes more, as in scikit-learn's StratifiedGroupKFold.
    """
    _, piece = np.unique(pieces, return_inverse=True)
    _, kind = np.unique(classes, return_inverse=True)
    counts = np.zeros((piece.max() + 1, kind.max() + 1))  # (P, C): documents of each class in a piece
    np.add.at(counts, (piece, kind), 1)
    order = rng.permutation(len(counts))
    order = order[np.argsort(-counts.sum(axis=1)[order], kind="stable")]
    lacking = np.stack([counts.sum(axis=0) * share, counts.sum(axis=0) * (1 - share)])  # (2, C)
    total = lacking.copy()
    aside = np.zeros(len(counts), bool)
    for number in order:
        need = (counts[number] * lacking / total).sum(axis=1)
        taken = int(need[1] >= need[0])  # 0: put aside
        aside[number] = taken == 0
        lacking[taken] -= counts[number]
    return aside[piece]

"""The test documents that at least one model gets wrong, with every model's answer."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from textmill.parquet import read_parquet
from textmill.records.outcome import PREDICTIONS, Outcome

SHOWN = 1500  # documents, which a browser lays out at once
SIZE = 1_500_000  # bytes on the page, about, of all of them
CELL = 40  # bytes of a cell's markup
EXCERPT = 500  # of one text


class Answer(NamedTuple):
    """One model's answer."""

    prediction: str
    confidence: float
    right: bool


class Document(NamedTuple):
    """A document, the start of its text, and the answer of each model, in the order of the models."""

    id: str
    text: str
    label: str
    answers: list[Answer]


class Answers(NamedTuple):
    """The documents to show, and the number of documents that at least one model gets wrong.

    alone: alone[a][b] counts the documents of the whole split that a gets right and b gets wrong.
    """

    names: list[str]
    wrong: int
    shown: list[Document]
    alone: dict[str, dict[str, int]]


def answers(models: Mapping[str, Outcome], texts: Iterable[pl.DataFrame], champion: str) -> Answers:
    """Returns the answers of the shipped seeds. texts: of the test split, in parts, with the columns id and text.

    The champion's most confident errors come first. If there are too many to show, each model keeps its most confident
    ones.
    """
    columns = ["id", "label", "prediction", "confidence"]
    tables = [read_parquet(model.folder / PREDICTIONS, columns=columns).sort("id") for model in models.values()]
    predicted = np.stack([table["prediction"].to_numpy() for table in tables])
    confidence = np.stack([table["confidence"].to_numpy() for table in tables]).astype(np.float64)
    ids, labels = tables[0]["id"], tables[0]["label"]
    right = predicted == labels.to_numpy()
    names = list(models)
    order = shown(np.where(right, -1.0, confidence), names.index(champion))
    kept = pl.DataFrame({"id": ids.gather(order), "row": order})
    found = pl.concat(some.join(kept, on="id") for some in texts)
    excerpts = dict(zip(found["row"], found["text"].str.slice(0, EXCERPT), strict=True))
    documents, size = [], 0
    for row in order.tolist():
        each = zip(predicted[:, row], confidence[:, row].tolist(), right[:, row].tolist(), strict=True)
        one = Document(ids[row], excerpts[row], labels[row], [Answer(*answer) for answer in each])
        size += _size(one)
        if size > SIZE:
            break
        documents.append(one)
    alone = {
        a: {b: int((right[i] & ~right[j]).sum()) for j, b in enumerate(names) if j != i} for i, a in enumerate(names)
    }
    return Answers(names, int((~right.all(0)).sum()), documents, alone)


def _size(one: Document) -> int:
    """Returns the bytes of its row on the page, about."""
    words = [one.id * 3, one.text, one.label, *(answer.prediction for answer in one.answers if not answer.right)]
    return len("".join(words).encode()) + CELL * (2 + len(one.answers))


def shown(errors: NDArray[np.float64], champion: int, most: int = SHOWN) -> NDArray[np.int64]:
    """Returns the documents to show, in order. errors: the confidence of wrong answers (M, N), -1 for right ones."""
    rank = np.argsort(np.argsort(-errors, axis=1, kind="stable"), axis=1, kind="stable")
    rank = np.where(errors < 0, errors.shape[1], rank).min(0)
    kept = np.argsort(rank, kind="stable")[: min(most, int((rank < errors.shape[1]).sum()))]
    return kept[np.lexsort((-errors[:, kept].max(0), -errors[champion, kept]))]

"""The test documents that some model has wrong, and what every model says of them."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from textmill.parquet import read_parquet
from textmill.records.outcome import PREDICTIONS, Outcome

SHOWN = 1500  # documents, which a browser lays out in a blink
SIZE = 1_500_000  # bytes that all of them take on the page, about
CELL = 40  # bytes of a cell, beside what it says
EXCERPT = 500  # of one text


class Answer(NamedTuple):
    """What one model says."""

    prediction: str
    confidence: float
    right: bool


class Document(NamedTuple):
    """A document, the start of its text, and an answer a model, in the order of the models."""

    id: str
    text: str
    label: str
    answers: list[Answer]


class Answers(NamedTuple):
    """The documents to show, of all that some model has wrong.

    alone: of each model, against each other one, the documents of the whole split that it alone of the two has right.
    """

    names: list[str]
    wrong: int
    shown: list[Document]
    alone: dict[str, dict[str, int]]


def answers(models: Mapping[str, Outcome], texts: Iterable[pl.DataFrame], champion: str) -> Answers:
    """Those of the shipped seeds. texts: of the test split, in parts, with the columns id and text.

    The champion's surest errors stand first. Where there are too many to show, each model's surest ones are kept.
    """
    columns = ["id", "label", "prediction", "confidence"]
    tables = [read_parquet(model.folder / PREDICTIONS, columns=columns).sort("id") for model in models.values()]
    said = np.stack([table["prediction"].to_numpy() for table in tables])
    sure = np.stack([table["confidence"].to_numpy() for table in tables]).astype(np.float64)
    ids, labels = tables[0]["id"], tables[0]["label"]
    right = said == labels.to_numpy()
    names = list(models)
    order = shown(np.where(right, -1.0, sure), names.index(champion))
    kept = pl.DataFrame({"id": ids.gather(order), "row": order})
    found = pl.concat(some.join(kept, on="id") for some in texts)
    excerpts = dict(zip(found["row"], found["text"].str.slice(0, EXCERPT), strict=True))
    documents, size = [], 0
    for row in order.tolist():
        each = zip(said[:, row], sure[:, row].tolist(), right[:, row].tolist(), strict=True)
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
    """Bytes of its row."""
    words = [one.id * 3, one.text, one.label, *(answer.prediction for answer in one.answers if not answer.right)]
    return len("".join(words).encode()) + CELL * (2 + len(one.answers))


def shown(errors: NDArray[np.float64], champion: int, most: int = SHOWN) -> NDArray[np.int64]:
    """The documents to show, in their order. errors: the confidence of wrong answers (M, N), -1 where one is right."""
    rank = np.argsort(np.argsort(-errors, axis=1, kind="stable"), axis=1, kind="stable")
    rank = np.where(errors < 0, errors.shape[1], rank).min(0)
    kept = np.argsort(rank, kind="stable")[: min(most, int((rank < errors.shape[1]).sum()))]
    return kept[np.lexsort((-errors[:, kept].max(0), -errors[champion, kept]))]

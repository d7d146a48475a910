"""All scores of a model, from its tables of predictions: accuracy, F1, log-loss, ROC-AUC, calibration error."""

import time
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import numpy as np
import polars as pl

from textmill import tally
from textmill.errors import DivergedError
from textmill.judging.metrics import METRICS, score
from textmill.records.mistakes import Mistake, Mistakes
from textmill.records.scores import Bin, Binary, OfClass, OfSeed, Scores
from textmill.text.encoding import Documents, classes
from textmill.text.ragged import Ragged

BINS = 10  # of confidence, for the calibration error
ERRORS = 20  # most confident ones to show
HEADLINE = (*METRICS, "roc_auc", "log_loss", "calibration_error")
EXCERPT = 500  # characters of a text to show


class Predicts(Protocol):
    """Any model."""

    def predict_proba(self, docs: Ragged) -> np.ndarray:
        """Returns the probability of each class for each document, float32 (N, C)."""


def predictions(
    ids: pl.Series,
    actual: np.ndarray,
    labels: list[str],
    probabilities: np.ndarray,
    tokens: np.ndarray,
    unit: np.ndarray | None = None,
) -> pl.DataFrame:
    """Returns a row per document: id, label, prediction, confidence, tokens, unit, and 'p:<label>' per class.

    ids (N,); actual: class numbers, int (N,); probabilities (N, C); tokens int (N,); unit: int (N,), equal for
    documents that the split keeps together; None: all separate. Raises DivergedError if a row is not a distribution.
    """
    away = np.abs(probabilities.sum(1) - 1)
    if not np.all(away <= 1e-4):
        row = int(np.argmax(np.where(np.isnan(away), np.inf, away)))
        raise DivergedError(f"document {ids[row]!r}: probabilities do not sum to 1; train again, with a lower train.lr")
    predicted, names = probabilities.argmax(1), np.array(labels, dtype=object)
    return pl.DataFrame(
        {
            "id": ids,
            "label": pl.Series(names[actual], dtype=pl.String),
            "prediction": pl.Series(names[predicted], dtype=pl.String),
            "confidence": probabilities.max(1).astype(np.float32),
            "tokens": tokens.astype(np.int32),
            "unit": (np.arange(len(ids)) if unit is None else unit).astype(np.int32),
            **{f"p:{label}": probabilities[:, number].astype(np.float32) for number, label in enumerate(labels)},
        }
    ).sort("id")


def predict(
    models: Iterable[tuple[int, Predicts]], labels: list[str], *splits: tuple[Documents, np.ndarray]
) -> tuple[list[dict[int, pl.DataFrame]], float]:
    """Returns each seed's predictions for some splits, as tables of `predictions`, and documents per second.

    splits: documents, and the unit of each.
    """
    tables: list[dict[int, pl.DataFrame]] = [{} for _ in splits]
    documents, seconds = 0, 0.0
    for seed, model in models:
        for ((ids, data), unit), of_split in zip(splits, tables, strict=True):
            started = time.perf_counter()
            proba = model.predict_proba(data.docs)
            documents, seconds = documents + len(ids), seconds + time.perf_counter() - started
            of_split[seed] = predictions(ids, data.labels, labels, proba, data.docs.lengths, unit)
    return tables, documents / seconds


def classes_of(table: pl.DataFrame, column: str, labels: list[str]) -> np.ndarray:
    """Returns the class numbers of a column of labels: int (N,)."""
    return classes(table[column], labels)


def probabilities_of(table: pl.DataFrame, labels: list[str]) -> np.ndarray:
    """Returns the probabilities in a table of `predictions`: float32 (N, C)."""
    return table.select(f"p:{label}" for label in labels).to_numpy()


def headline(table: pl.DataFrame, labels: list[str]) -> dict[str, float | None]:
    """Returns the scores of HEADLINE, rounded to 6 digits; None if undefined."""
    from sklearn.metrics import roc_auc_score

    actual, proba = classes_of(table, "label", labels), probabilities_of(table, labels).astype(np.float64)
    proba = proba / proba.sum(1, keepdims=True)
    sums = np.stack(tally.count(actual, classes_of(table, "prediction", labels), len(labels)))
    area: float | None = None
    there = np.unique(actual)
    if len(there) == len(labels):
        area = float(roc_auc_score(actual, proba[:, 1] if len(labels) == 2 else proba, multi_class="ovr"))
    elif len(there) > 1:
        area = float(np.mean([roc_auc_score(actual == number, proba[:, number]) for number in there]))
    scores = {name: float(score(name, sums)) for name in METRICS} | {
        "roc_auc": area,
        "log_loss": tally.log_loss(proba, actual),
        "calibration_error": calibration_error(*_answers(table)),
    }
    return {name: None if value is None else _rounded(value) for name, value in scores.items()}


def all_scores(tables: Mapping[int, pl.DataFrame], shipped: int, labels: list[str]) -> Scores:
    """Returns the scores of tables of `predictions` by seed; those by class and by bin are the shipped seed's."""
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    table, each = tables[shipped], {seed: headline(one, labels) for seed, one in sorted(tables.items())}
    actual, predicted = (classes_of(table, side, labels) for side in ("label", "prediction"))
    sides, every = ("precision", "recall", "f1"), range(len(labels))

    def prf(numbers: Any, average: str | None) -> Any:  # of each of `sides`, a number or (K,)
        return precision_recall_fscore_support(actual, predicted, labels=numbers, average=average, zero_division=0)[:3]

    by_class = [dict(zip(sides, map(_rounded, of), strict=True)) for of in zip(*prf(every, None), strict=True)]
    own: dict[str, Any] = {}
    for of in ("macro", "weighted"):  # over the classes that have documents
        own |= {f"{side}_{of}": _rounded(value) for side, value in zip(sides, prf(np.unique(actual), of), strict=True)}
    own |= {name: value for name, value in each[shipped].items() if name in Scores.model_fields}
    if len(labels) == 2:
        own["binary"] = Binary(positive=labels[1], **by_class[1])
    mean, sd = over_seeds(each)
    support = np.bincount(actual, minlength=len(labels)).tolist()
    return Scores(
        **own,
        rows=len(table),
        labels=labels,
        classes={
            label: OfClass(**of, support=float(rows)) for label, of, rows in zip(labels, by_class, support, strict=True)
        },
        confusion=confusion_matrix(actual, predicted, labels=every).tolist(),
        calibration=calibration(*_answers(table)),
        seeds=[OfSeed(seed=seed, **scores) for seed, scores in each.items()],
        mean=mean,
        sd=sd,
    )


def concat_seeds(tables: Mapping[int, pl.DataFrame]) -> pl.DataFrame:
    """Returns tables of `predictions` by seed as one, with a first column `seed`, ascending."""
    parts = sorted(tables.items())
    return pl.concat(table.select(pl.lit(seed, pl.Int64).alias("seed"), pl.all()) for seed, table in parts)


def over_seeds(each: Mapping[int, dict[str, float | None]]) -> tuple[dict[str, float | None], dict[str, float | None]]:
    """Returns mean and standard deviation (ddof = 1; None for one seed) of the headline scores of the seeds."""
    found = {name: [value for of in each.values() if (value := of[name]) is not None] for name in HEADLINE}
    known = {name: len(column) == len(each) for name, column in found.items()}
    several = len(each) > 1
    mean = {name: _rounded(np.mean(column)) if known[name] else None for name, column in found.items()}
    sd = {name: _rounded(np.std(column, ddof=1)) if several and known[name] else None for name, column in found.items()}
    return mean, sd


def summary(scores: Scores, shipped: int, validation: Mapping[str, float]) -> dict[str, float | None]:
    """Returns the line of `dvc metrics show`: what a model is chosen by, then its scores on the test split.

    Both are the shipped seed's. For several seeds, the mean and standard deviation of the test scores of METRICS
    follow.
    """
    line: dict[str, float | None] = {f"validation_{name}": value for name, value in validation.items()}
    line |= {f"test_{name}": value for name, value in scores.of(shipped).items()}
    if len(scores.seeds) > 1:
        for name in METRICS:
            line |= {f"test_{name}_mean": scores.mean[name], f"test_{name}_sd": scores.sd[name]}
    return line


def calibration(confidence: np.ndarray, right: np.ndarray) -> list[Bin]:
    """Returns mean confidence and accuracy in each of ten equal bins that is not empty. Arrays are (N,)."""
    return [
        Bin(confidence=_rounded(mean), accuracy=_rounded(share), rows=rows)
        for mean, share, rows in _bins(confidence, right)
    ]


def calibration_error(confidence: np.ndarray, right: np.ndarray) -> float:
    """Returns the expected calibration error: the mean distance of confidence and accuracy (Guo et al. 2017)."""
    return sum(rows * abs(mean - share) for mean, share, rows in _bins(confidence, right)) / len(right)


def _bins(confidence: np.ndarray, right: np.ndarray) -> list[tuple[float, float, int]]:
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)  # a confidence of exactly 1 belongs to the last bin
    each = (bins == number for number in np.unique(bins))
    return [(float(confidence[held].mean()), float(right[held].mean()), int(held.sum())) for held in each]


def _answers(table: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    return table["confidence"].to_numpy(), (table["label"] == table["prediction"]).to_numpy()


def mistakes(table: pl.DataFrame, texts: Iterable[pl.DataFrame]) -> Mistakes:
    """Returns the most confident errors of a table of `slices.with_facts`, worst first, with the start of their texts.

    texts: in parts, with the columns id and text.
    """
    wrong = table.filter(pl.col("label") != pl.col("prediction"))
    worst = wrong.sort("confidence", "id", descending=[True, False]).head(ERRORS)
    found = pl.concat(some.filter(pl.col("id").is_in(worst["id"].implode())) for some in texts)
    shown = worst.join(found, on="id", how="left", maintain_order="left")
    shown = shown.with_columns(
        pl.col("text").str.slice(0, EXCERPT), pl.col("confidence", "unknown").cast(pl.Float64).round(4)
    )
    return Mistakes([Mistake(**row) for row in shown.select(*Mistake.model_fields).to_dicts()])


def _rounded(value: float | np.floating) -> float:
    return round(float(value), 6)

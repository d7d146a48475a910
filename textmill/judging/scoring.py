"""Every score of a model, from its one table of predictions."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from textmill.training.validation import validate

BINS = 10  # of confidence, for the calibration error
ERRORS = 20  # confident ones to show
HEADLINE = ("accuracy", "f1_macro", "roc_auc", "log_loss", "calibration_error")
EXCERPT = 500  # characters of a text that are shown


def predictions(
    ids: pl.Series, classes: np.ndarray, labels: list[str], probabilities: np.ndarray, tokens: np.ndarray
) -> pl.DataFrame:
    """One row a document: id, label, prediction, confidence, tokens, and a column 'p:<label>' for each class.

    ids (N,); classes int (N,); probabilities (N, C); tokens int (N,). Raises ValueError if a row is no distribution.
    """
    if not np.allclose(probabilities.sum(1), 1, atol=1e-4):
        raise ValueError(f"row {int(np.argmax(np.abs(probabilities.sum(1) - 1)))}: probabilities do not sum to 1")
    predicted, names = probabilities.argmax(1), np.array(labels, dtype=object)
    return pl.DataFrame(
        {
            "id": ids,
            "label": pl.Series(names[classes], dtype=pl.String),
            "prediction": pl.Series(names[predicted], dtype=pl.String),
            "confidence": probabilities.max(1).astype(np.float32),
            "tokens": tokens.astype(np.int32),
            **{f"p:{label}": probabilities[:, number].astype(np.float32) for number, label in enumerate(labels)},
        }
    ).sort("id")


def score(table: pl.DataFrame, labels: list[str]) -> dict[str, Any]:
    """Scores of a table of `predictions`, rounded to 6 digits; null where a score has no meaning."""
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support, roc_auc_score

    number = {label: position for position, label in enumerate(labels)}
    actual, predicted = (
        table[side].replace_strict(number, return_dtype=pl.Int64).to_numpy() for side in ("label", "prediction")
    )
    proba = table.select(f"p:{label}" for label in labels).to_numpy().astype(np.float64)
    proba = proba / proba.sum(1, keepdims=True)
    every = range(len(labels))
    by_class = precision_recall_fscore_support(actual, predicted, labels=every, zero_division=0)
    macro = precision_recall_fscore_support(actual, predicted, labels=every, average="macro", zero_division=0)
    weighted = precision_recall_fscore_support(actual, predicted, labels=every, average="weighted", zero_division=0)
    scores = {
        "rows": len(table),
        "accuracy": np.mean(actual == predicted),
        "precision_macro": macro[0],
        "recall_macro": macro[1],
        "f1_macro": macro[2],
        "precision_weighted": weighted[0],
        "recall_weighted": weighted[1],
        "f1_weighted": weighted[2],
        "roc_auc": None,
        "log_loss": validate(proba, actual)["log_loss"],
        "calibration_error": calibration_error(table["confidence"].to_numpy(), actual == predicted),
    }
    if len(np.unique(actual)) == len(labels):
        wanted = proba[:, 1] if len(labels) == 2 else proba
        scores["roc_auc"] = roc_auc_score(actual, wanted, multi_class="ovr")
    if len(labels) == 2:
        precision, recall, f1, _ = (values[1] for values in by_class)
        scores["binary"] = {"positive": labels[1], "precision": precision, "recall": recall, "f1": f1}
    return _rounded(
        {
            **scores,
            "labels": labels,
            "classes": {
                label: dict(zip(("precision", "recall", "f1", "support"), (float(v[i]) for v in by_class), strict=True))
                for i, label in enumerate(labels)
            },
            "confusion": confusion_matrix(actual, predicted, labels=every).tolist(),
            "calibration": calibration(table["confidence"].to_numpy(), actual == predicted),
        }
    )


def together(tables: Mapping[int, pl.DataFrame]) -> pl.DataFrame:
    """Tables of `predictions` by seed as one, with the column `seed` before the others."""
    return pl.concat(table.select(pl.lit(seed, pl.Int64).alias("seed"), pl.all()) for seed, table in tables.items())


def over_seeds(each: Mapping[int, dict[str, Any]]) -> dict[str, Any]:
    """Headline scores of each seed, their mean, and their standard deviation (ddof = 1; null for one seed)."""
    seeds = [{"seed": seed} | {name: scores[name] for name in HEADLINE} for seed, scores in each.items()]
    columns = {name: [one[name] for one in seeds] for name in HEADLINE}
    known = {name: None not in column for name, column in columns.items()}
    mean = {name: np.mean(column) if known[name] else None for name, column in columns.items()}
    several = len(seeds) > 1
    sd = {name: np.std(column, ddof=1) if several and known[name] else None for name, column in columns.items()}
    return _rounded({"seeds": seeds, "mean": mean, "sd": sd})


def summary(scores: dict[str, Any], validation: dict[str, float]) -> dict[str, Any]:
    """The line of `dvc metrics show`: what a model is chosen by, then what it scores on the test split.

    Both are of the shipped seed; of several, mean and standard deviation of the test accuracy follow.
    """
    chosen = {f"validation_{name}": value for name, value in validation.items()}
    line = chosen | {f"test_{name}": scores[name] for name in HEADLINE}
    if len(scores["seeds"]) > 1:
        line |= {f"test_accuracy_{name}": scores[name]["accuracy"] for name in ("mean", "sd")}
    return line


def calibration(confidence: np.ndarray, right: np.ndarray) -> list[dict[str, float]]:
    """Mean confidence and accuracy in each of ten equal bins of confidence that hold a row. Both arrays are (N,)."""
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    return [
        {
            "confidence": float(confidence[bins == b].mean()),
            "accuracy": float(right[bins == b].mean()),
            "rows": int((bins == b).sum()),
        }
        for b in np.unique(bins)
    ]


def calibration_error(confidence: np.ndarray, right: np.ndarray) -> float:
    """Expected calibration error: how far confidence and accuracy lie apart, in the mean (Guo et al. 2017)."""
    return sum(b["rows"] * abs(b["confidence"] - b["accuracy"]) for b in calibration(confidence, right)) / len(right)


def worst(table: pl.DataFrame) -> pl.DataFrame:
    """The most confident errors of a table of `predictions`, the worst first."""
    wrong = table.filter(pl.col("label") != pl.col("prediction"))
    return wrong.sort("confidence", "id", descending=[True, False]).head(ERRORS)


def errors(shown: pl.DataFrame, texts: pl.DataFrame) -> list[dict[str, Any]]:
    """`worst` with its texts, cut to EXCERPT characters. `texts` has the columns id and text."""
    shown = shown.join(texts, on="id", how="left", maintain_order="left")
    shown = shown.with_columns(
        pl.col("text").str.slice(0, EXCERPT), pl.col("confidence", "unknown").cast(pl.Float64).round(4)
    )
    return shown.select("id", "text", "label", "prediction", "confidence", "tokens", "unknown").to_dicts()


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(child) for key, child in value.items()}
    if isinstance(value, list):
        return [_rounded(child) for child in value]
    return round(float(value), 6) if isinstance(value, float | np.floating) else value

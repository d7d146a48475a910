"""A linear model on n-grams of ids: the baseline for every network."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from textmill.config import Count, Positive, Section, validate
from textmill.errors import TooRareError
from textmill.records.fit import Solver
from textmill.text.encoding import Encoded
from textmill.text.ngrams import Counts, count, grams, scaled, select_columns, side_by_side, weigh
from textmill.text.ragged import Ragged
from textmill.training.regression import log_count_ratio, regression
from textmill.training.task import EpochRow, Family, Fitted, Task
from textmill.training.validation import epoch_scores
from textmill.training.weights import Form, check_weights


class LinearConfig(Section):
    """A linear model on weighted n-grams."""

    family: Literal["linear"]  # the kind of model, which decides what other keys the entry has
    tokenizer: str  # one of `tokenizers`
    ngrams: Annotated[int, Field(ge=1, le=3)] = 2  # longest n-gram, in ids
    min_count: Count = 1  # least number of documents that contain an n-gram
    weighting: Literal["tfidf", "nb"] = "nb"  # nb: log-count ratios of naive Bayes on presence (Wang & Manning 2012)
    c: Positive = 1.0  # inverse strength of the L2 penalty


class Linear:
    """Sorted n-gram keys by order, a scale for each n-gram, a row of weights per class (one row for two classes)."""

    METHODS: ClassVar[tuple[str, ...]] = ("weights", "occlusion")

    def __init__(self, config: LinearConfig, task: Task, tensors: Mapping[str, np.ndarray]):
        self.config, self.task = config, task
        self.keys = [tensors[f"keys_{order + 1}"] for order in range(config.ngrams)]  # each int64 (F_order,)
        self.scale = tensors["scale"]  # float32 (F,)
        self.weights, self.bias = tensors["weights"], tensors["bias"]  # float32 (R, F), (R,)

    def predict_proba(self, docs: Ragged) -> np.ndarray:
        """Returns the probability of each class, float32 (N, C)."""
        return self.probabilities(count(docs, self.keys, self.task.vocabulary))

    def probabilities(self, counts: Counts) -> np.ndarray:
        """Returns the probability of each class from the n-grams' counts (N, F), float32 (N, C)."""
        logits = weigh(counts, self.scale, self.config.weighting).times(self.weights) + self.bias
        if self.task.classes == 2:
            second = 1 / (1 + np.exp(-logits[:, 0]))
            return np.stack([1 - second, second], 1).astype(np.float32)
        if self.config.weighting == "nb":  # fitted as one against the rest
            odds = 1 / (1 + np.exp(-logits))
            return (odds / odds.sum(1, keepdims=True)).astype(np.float32)
        odds = np.exp(logits - logits.max(1, keepdims=True))
        return (odds / odds.sum(1, keepdims=True)).astype(np.float32)

    def positions(self, length: int) -> np.ndarray:
        """Returns the positions that it reads in a document of `length` ids: all."""
        return np.arange(length)

    def tensors(self) -> dict[str, np.ndarray]:
        """Returns the fitted model's arrays by name."""
        keys = {f"keys_{order + 1}": keys for order, keys in enumerate(self.keys)}
        return keys | {"scale": self.scale, "weights": self.weights, "bias": self.bias}


def fit(config: LinearConfig, data: Encoded, validation: Encoded, task: Task) -> Fitted:
    """Fits a logistic regression on weighted n-gram counts. Deterministic for a given seed."""
    started = time.monotonic()
    keys, counts = _frequent(config, data.docs, task.vocabulary)
    if not counts.shape[1]:
        raise TooRareError(f"linear: no n-gram occurs in {config.min_count} documents; lower min_count")
    targets = [data.labels == 1] if task.classes == 2 else [data.labels == k for k in range(task.classes)]
    scale = np.ones(counts.shape[1])
    if config.weighting == "tfidf":
        scale = 1 + np.log((1 + len(data.docs)) / (1 + counts.per_column()))
        fits = [regression(weigh(counts, scale, "tfidf"), data.labels, config.c, task.seed)]
        weights = fits[0].weights
    else:
        present = weigh(counts, scale, "nb")
        ratios = [log_count_ratio(present, target) for target in targets]
        fits = [
            regression(scaled(present, ratio), target, config.c, task.seed)
            for ratio, target in zip(ratios, targets, strict=True)
        ]
        weights = np.concatenate([one.weights * ratio for one, ratio in zip(fits, ratios, strict=True)])
    bias = np.concatenate([one.bias for one in fits])
    tensors = {f"keys_{order + 1}": k for order, k in enumerate(keys)}
    tensors |= {
        name: np.ascontiguousarray(a, np.float32)
        for name, a in (("scale", scale), ("weights", weights), ("bias", bias))
    }
    model = Linear(config, task, tensors)
    on_train = epoch_scores(model.probabilities(counts), data.labels)
    on_validation = epoch_scores(model.predict_proba(validation.docs), validation.labels)
    row: EpochRow = {
        "epoch": 1,
        "train_loss": on_train["log_loss"],
        "validation_loss": on_validation["log_loss"],
        "validation_accuracy": on_validation["accuracy"],
        "validation_f1": on_validation["f1_macro"],
        "learning_rate": None,
        "updates": None,
        "seconds": time.monotonic() - started,
    }
    found = [one.solver for one in fits]
    solver = Solver(iterations=max(one.iterations for one in found), converged=all(one.converged for one in found))
    return Fitted(model, [row], 1, "cpu", "float64", solver=solver)


def _frequent(config: LinearConfig, docs: Ragged, vocabulary: int) -> tuple[list[np.ndarray], Counts]:
    """Returns the keys of the n-grams found in enough documents, by order, and their counts in each document."""
    keys, tables = [], []
    for order in range(1, config.ngrams + 1):
        found, table = grams(docs, order, vocabulary)
        frequent = table.per_column() >= config.min_count
        keys.append(found[frequent])
        tables.append(select_columns(table, np.where(frequent, np.cumsum(frequent) - 1, -1), len(keys[-1])))
    return keys, side_by_side(tables)


class LinearFamily(Family):
    """The family of linear models, which do not use the `train` section."""

    config, settings = LinearConfig, None

    def check(self, entry: Mapping[str, Any], train: Mapping[str, Any], where: str) -> tuple[LinearConfig, None]:
        """Returns an entry's config. Raises ParamsError with the key under `where`."""
        return validate(entry, LinearConfig, where), None

    def fit(
        self,
        config: LinearConfig,
        settings: None,
        data: Encoded,
        validation: Encoded,
        task: Task,
        folder: Path | None = None,
    ) -> Fitted:
        """Calls `fit`; there are no checkpoints."""
        return fit(config, data, validation, task)

    def load(
        self,
        config: LinearConfig,
        settings: None,
        tensors: Mapping[str, np.ndarray],
        task: Task,
        where: str = "weights",
    ) -> Linear:
        """Returns the model with the arrays of `Linear.tensors()`."""
        sizes = {f"keys_{order + 1}": np.size(tensors.get(f"keys_{order + 1}", ())) for order in range(config.ngrams)}
        features, rows = sum(sizes.values()), 1 if task.classes == 2 else task.classes
        expected: dict[str, Form] = {name: ((size,), "int64") for name, size in sizes.items()}
        expected |= {"scale": ((features,), "float32"), "weights": ((rows, features), "float32")}
        check_weights(tensors, expected | {"bias": ((rows,), "float32")}, where)
        return Linear(config, task, tensors)


FAMILY = LinearFamily()

"""A linear model of n-grams, counted on the encoded ids: the baseline that every network has to beat."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field
from scipy.sparse import csc_array, csr_array, hstack

from textmill.config import Count, Positive, Section, validate
from textmill.errors import DataError
from textmill.text.encoding import Encoded
from textmill.text.ragged import UNK, Ragged
from textmill.training.task import EpochRow, Family, Fitted, Task
from textmill.training.validation import epoch_scores
from textmill.training.weights import Form, check_weights


class LinearConfig(Section):
    """Which n-grams are counted, and how they weigh."""

    family: Literal["linear"]  # what the entry is, and so which keys it has
    tokenizer: str  # one of `tokenizers`
    ngrams: Annotated[int, Field(ge=1, le=3)] = 2  # up to this many ids in a row
    min_count: Count = 1  # documents that an n-gram must stand in
    weighting: Literal["tfidf", "nb"] = "nb"  # nb: log-count ratios of naive Bayes on presence (Wang & Manning 2012)
    c: Positive = 1.0  # inverse strength of the L2 penalty


class Linear:
    """Sorted n-gram keys by order, a scale for each, and one row of weights a class (or one in all for two classes)."""

    METHODS: ClassVar[tuple[str, ...]] = ("weights", "occlusion")

    def __init__(self, config: LinearConfig, task: Task, tensors: Mapping[str, np.ndarray]):
        self.config, self.task = config, task
        self.keys = [tensors[f"keys_{order + 1}"] for order in range(config.ngrams)]  # each int64 (F_order,)
        self.scale = tensors["scale"]  # float32 (F,)
        self.weights, self.bias = tensors["weights"], tensors["bias"]  # float32 (R, F), (R,)

    def predict_proba(self, docs: Ragged) -> np.ndarray:
        """Probability of each class, float32 (N, C)."""
        return self.probabilities(count(docs, self.keys, self.task.vocabulary))

    def probabilities(self, counts: csr_array) -> np.ndarray:
        """The same from the n-grams' counts, float64 (N, F)."""
        logits = weigh(counts, self.scale, self.config.weighting) @ self.weights.T.astype(np.float64) + self.bias
        if self.task.classes == 2:
            second = 1 / (1 + np.exp(-logits[:, 0]))
            return np.stack([1 - second, second], 1).astype(np.float32)
        if self.config.weighting == "nb":  # one against the rest, as it was fitted
            odds = 1 / (1 + np.exp(-logits))
            return (odds / odds.sum(1, keepdims=True)).astype(np.float32)
        odds = np.exp(logits - logits.max(1, keepdims=True))
        return (odds / odds.sum(1, keepdims=True)).astype(np.float32)

    def positions(self, length: int) -> np.ndarray:
        """It reads all ids of a document, whatever its length."""
        return np.arange(length)

    def tensors(self) -> dict[str, np.ndarray]:
        """Everything that was learned."""
        keys = {f"keys_{order + 1}": keys for order, keys in enumerate(self.keys)}
        return keys | {"scale": self.scale, "weights": self.weights, "bias": self.bias}


def fit(config: LinearConfig, data: Encoded, validation: Encoded, task: Task) -> Fitted:
    """Count, weigh, and fit a logistic regression. Deterministic for a seed."""
    started = time.monotonic()
    keys, tables = [], []
    for order in range(1, config.ngrams + 1):
        found, table = grams(data.docs, order, task.vocabulary)
        frequent = np.diff(table.indptr) >= config.min_count
        keys.append(found[frequent])
        tables.append(table[:, frequent])
    counts = hstack(tables, format="csr")
    if not counts.shape[1]:
        raise DataError(f"linear: no n-gram stands in {config.min_count} documents; lower min_count")
    targets = [data.labels == 1] if task.classes == 2 else [data.labels == k for k in range(task.classes)]
    scale = np.ones(counts.shape[1])
    if config.weighting == "tfidf":
        scale = 1 + np.log((1 + len(data.docs)) / (1 + np.bincount(counts.indices, minlength=counts.shape[1])))
        weights, bias = regression(weigh(counts, scale, "tfidf"), data.labels, config.c, task.seed)
    else:
        present = weigh(counts, scale, "nb")
        ratios = [log_count_ratio(present, target) for target in targets]
        fits = [
            regression(scaled(present, ratio), target, config.c, task.seed)
            for ratio, target in zip(ratios, targets, strict=True)
        ]
        weights = np.concatenate([w * ratio for (w, _), ratio in zip(fits, ratios, strict=True)])
        bias = np.concatenate([b for _, b in fits])
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
        "seconds": time.monotonic() - started,
    }
    return Fitted(model, [row], 1, "cpu", "float64")


def grams(docs: Ragged, order: int, vocabulary: int) -> tuple[np.ndarray, csc_array]:
    """The different n-grams of known ids as sorted keys, int64 (D,), and how often each document holds each, (N, D).

    A key is the ids read as digits to the base `vocabulary`; three ids below 2 million fit an int64. One sort of
    (key, document) brings equal n-grams together, and documents in order: the table by columns needs no other work.
    """
    rows = np.repeat(np.arange(len(docs)), docs.lengths)
    last = max(len(rows) - order + 1, 0)
    whole = rows[:last] == rows[order - 1 :]  # within one document
    key = np.zeros(last, np.int64)
    for shift in range(order):
        ids = docs.ids[shift : last + shift]
        whole &= ids != UNK
        key *= vocabulary
        key += ids
    key, rows, known = key[whole], rows[:last][whole], None
    if vocabulary**order * len(docs) > np.iinfo(np.int64).max:  # the pair would not fit
        known, key = np.unique(key, return_inverse=True)
    pairs = key * len(docs)
    pairs += rows
    pairs.sort()
    first = np.flatnonzero(np.diff(pairs, prepend=-1))  # of each different pair
    key, rows = np.divmod(pairs[first], len(docs))
    column = np.flatnonzero(np.diff(key, prepend=-1))  # first pair of each different key
    counts = np.diff(first, append=len(pairs)).astype(np.float64)
    ends = np.append(column, len(key)).astype(np.int32)  # liblinear wants 32 bits
    table = csc_array((counts, rows.astype(np.int32), ends), shape=(len(docs), len(column)))
    return key[column] if known is None else known[key[column]], table


def count(docs: Ragged, keys: list[np.ndarray], vocabulary: int) -> csr_array:
    """How often each document holds each n-gram of `keys`: float64 (N, F), the orders side by side."""
    tables = []
    for order, known in enumerate(keys, 1):
        found, table = grams(docs, order, vocabulary)
        hit = np.isin(found, known, assume_unique=True)
        sizes = np.zeros(len(known) + 1, np.int32)
        sizes[np.searchsorted(known, found[hit]) + 1] = np.diff(table.indptr)[hit]
        held = table[:, hit]
        tables.append(
            csc_array((held.data, held.indices, np.cumsum(sizes, dtype=np.int32)), shape=(len(docs), len(known)))
        )
    return hstack(tables, format="csr")


def weigh(counts: csr_array, scale: np.ndarray, weighting: str) -> csr_array:
    """nb: presence. tfidf: counts times `scale`, each document brought to length 1."""
    if weighting == "nb":
        return csr_array((np.ones(len(counts.data)), counts.indices, counts.indptr), shape=counts.shape)
    weighted = scaled(counts, scale)
    row = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    weighted.data /= np.sqrt(np.bincount(row, weighted.data**2, minlength=counts.shape[0]))[row]
    return weighted


def scaled(features: csr_array, scale: np.ndarray) -> csr_array:
    """Every column times its scale (F,)."""
    return csr_array((features.data * scale[features.indices], features.indices, features.indptr), shape=features.shape)


def log_count_ratio(present: csr_array, target: np.ndarray) -> np.ndarray:
    """Log of how much more often a feature stands in the class than outside, (F,) (Wang & Manning 2012, eq. 2)."""
    inside = 1 + target.astype(float) @ present
    outside = 1 + (~target).astype(float) @ present
    return np.log((inside / inside.sum()) / (outside / outside.sum()))


def regression(features: csr_array, target: np.ndarray, c: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Weights (R, F) and biases (R,) of an L2-penalised logistic regression; two classes have one row."""
    from sklearn.linear_model import LogisticRegression

    two = len(np.unique(target)) == 2
    # liblinear's dual takes a fraction of lbfgs's time where features outnumber documents; it knows two classes only.
    model = (
        LogisticRegression(C=c, solver="liblinear", dual=True, random_state=seed)
        if two
        else LogisticRegression(C=c, max_iter=1000)
    )
    model.fit(features, target)
    return model.coef_, model.intercept_


class LinearFamily(Family):
    """The `train` section is about networks: a linear model has no settings beside its config."""

    config, settings = LinearConfig, None

    def check(self, entry: Mapping[str, Any], train: Mapping[str, Any], where: str) -> tuple[LinearConfig, None]:
        """An entry as its config."""
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
        """`fit`, in one go: there are no checkpoints."""
        return fit(config, data, validation, task)

    def load(
        self,
        config: LinearConfig,
        settings: None,
        tensors: Mapping[str, np.ndarray],
        task: Task,
        where: str = "weights",
    ) -> Linear:
        """The model of `Linear.tensors()`."""
        sizes = {f"keys_{order + 1}": np.size(tensors.get(f"keys_{order + 1}", ())) for order in range(config.ngrams)}
        features, rows = sum(sizes.values()), 1 if task.classes == 2 else task.classes
        expected: dict[str, Form] = {name: ((size,), "int64") for name, size in sizes.items()}
        expected |= {"scale": ((features,), "float32"), "weights": ((rows, features), "float32")}
        check_weights(tensors, expected | {"bias": ((rows,), "float32")}, where)
        return Linear(config, task, tensors)


FAMILY = LinearFamily()

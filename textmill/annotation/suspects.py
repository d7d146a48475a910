"""Labels that look wrong: two linear models, fitted to other documents, find them improbable.

Cross-validation gives each document a verdict from models that have not seen it (confident learning, Northcutt et al.
2021). Documents are ranked by the mean of both models' standardised log-odds. The number of wrong labels is not
estimated: such estimates are often several times too high or too low.
"""

from collections.abc import Iterator, Sequence
from typing import IO, NamedTuple

import numpy as np
import polars as pl

from textmill.annotation.folds import folds
from textmill.errors import TooRareError
from textmill.judging.slices import FORMULA
from textmill.records.suspects import Suspect, Suspects
from textmill.text.encoding import Encoded
from textmill.text.ngrams import Counts, count, grams, scaled, side_by_side, weigh
from textmill.text.ragged import SPECIALS, Ragged
from textmill.text.subset import subset
from textmill.text.tokenizer import Texts
from textmill.tokenizers.word import WordConfig, WordTokenizer
from textmill.training.regression import log_count_ratio, regression

FOLDS = 5
WEIGHTINGS = (
    "nb",
    "tfidf",
)  # each finds errors that the other misses: with 5 % of labels flipped, both together rank best
NGRAMS = 2
TOKENIZER = WordConfig(kind="word", pattern="any-script", min_freq=1)  # the tokenizers in params may not find words
FITTED = 20_000  # documents in a fit at most; more are sampled, but all are judged
CELLS = 400_000  # documents times classes in a fit at most; time is proportional to both
LEAST = 5  # documents of a label in a fit at least; with fewer, all of them look wrong
FEWEST = 100  # documents in all at least; with fewer, there are no verdicts
JUDGED = 5_000  # documents judged at a time, to limit memory
TOP, EXCERPT = 10, 600  # on the page: number of documents, characters of each text
LISTED = 300  # an hour of reading; with 5 % of labels wrong, half of the first 300 are


class Verdicts(NamedTuple):
    """What the models say about each document, always from fits without that document."""

    odds: np.ndarray  # (M, N): each model's log-odds of the label against the most likely other; NaN: no verdict
    predicted: np.ndarray  # int (N,): the class with the highest mean probability
    probability: np.ndarray  # (N,): that mean
    fitted: int  # documents in the largest fit
    drawn: bool  # whether the documents of a fit were sampled

    @property
    def judged(self) -> np.ndarray:
        """Whether each document has a verdict, bool (N,)."""
        return ~np.isnan(self.odds).any(0)


class Fit(NamedTuple):
    """One linear model: a row of weights for each class that it saw, or one row for two classes."""

    weighting: str
    scale: np.ndarray  # (F,)
    weights: np.ndarray  # (R, F)
    bias: np.ndarray  # (R,)
    seen: np.ndarray  # the classes that it saw

    def log_probabilities(self, counts: Counts, classes: int) -> np.ndarray:
        """Returns the log-probability of each class, (N, C), from n-gram counts; -inf for classes never seen."""
        logits = weigh(counts, self.scale, self.weighting).times(self.weights) + self.bias
        if len(self.seen) == 2:
            logits = np.concatenate([-logits, logits], 1)
        own = -np.logaddexp(0, -logits)  # one against the rest
        whole = np.full((len(own), classes), -np.inf)
        whole[:, self.seen] = own - np.logaddexp.reduce(own, axis=1, keepdims=True)
        return whole


def encoded(read: Texts, spill: IO[bytes]) -> tuple[Ragged, int]:
    """Returns texts in the ids of TOKENIZER, fitted to them, and the number of ids.

    read, spill: as for `tokenizers.fit`. A text without words becomes one unknown word.
    """
    try:
        codec, batches = WordTokenizer.fit(read, TOKENIZER, spill, {})
    except TooRareError:  # no text contains a word
        return Ragged.of(np.empty(0, np.int32), np.zeros(sum(map(len, read())), int)), SPECIALS
    parts = list(batches)
    ids, lengths = (np.concatenate(each) for each in zip(*((part.ids, part.lengths) for part in parts), strict=True))
    return Ragged.of(ids, lengths), codec.size


def judge(data: Encoded, pieces: np.ndarray, vocabulary: int, classes: int, seed: int) -> Verdicts:
    """Judges each document by models that were fitted to others.

    data: ids below `vocabulary`, class numbers below `classes`. pieces: int (N,); documents with the same number, such
    as equal texts, are in the same fold.
    """
    documents = len(data.labels)
    odds = np.full((len(WEIGHTINGS), documents), np.nan)
    predicted, probability = np.zeros(documents, int), np.zeros(documents)
    largest, rng = max(1, min(FITTED, CELLS // classes)), np.random.default_rng(seed)
    fold = folds(pieces, data.labels, FOLDS, rng)
    fitted, drawn = 0, False
    if documents < FEWEST:
        return Verdicts(odds, predicted, probability, fitted, drawn)
    for number in range(FOLDS):
        others = np.flatnonzero(fold != number)
        rows = np.sort(rng.permutation(others)[:largest])
        fitted, drawn = max(fitted, len(rows)), drawn or len(rows) < len(others)
        train = subset(data, rows)
        known = np.bincount(train.labels, minlength=classes) >= LEAST
        if known.sum() < 2:
            continue
        keys, counts = _counted(train, vocabulary)
        if not counts.shape[1]:
            continue
        fits = [_fit(counts, train.labels, weighting, seed) for weighting in WEIGHTINGS]
        for some in _batches(np.flatnonzero((fold == number) & known[data.labels])):
            held = subset(data, some)
            counts = count(held.docs, keys, vocabulary)
            log_probs = np.stack([one.log_probabilities(counts, classes) for one in fits])  # (M, n, C)
            mean = np.exp(log_probs).mean(0)
            predicted[some], probability[some] = mean.argmax(1), mean.max(1)
            own = (slice(None), np.arange(len(some)), held.labels)
            odds[:, some] = log_probs[own]
            log_probs[own] = -np.inf
            odds[:, some] -= log_probs.max(2)
    return Verdicts(odds, predicted, probability, fitted, drawn)


def _counted(train: Encoded, vocabulary: int) -> tuple[list[np.ndarray], Counts]:
    found = [grams(train.docs, order, vocabulary) for order in range(1, NGRAMS + 1)]
    return [keys for keys, _ in found], side_by_side([table for _, table in found])


def _fit(counts: Counts, labels: np.ndarray, weighting: str, seed: int) -> Fit:
    """Fits as the family linear does, but one class against the rest also with tfidf: equal bytes on every machine."""
    seen = np.unique(labels)
    targets = [labels == number for number in (seen[1:] if len(seen) == 2 else seen)]
    scale, weights, bias = np.ones(counts.shape[1]), [], []
    if weighting == "tfidf":
        scale = 1 + np.log((1 + len(labels)) / (1 + counts.per_column()))
    features = weigh(counts, scale, weighting)
    for target in targets:
        ratio = log_count_ratio(features, target) if weighting == "nb" else np.ones(counts.shape[1])
        found = regression(scaled(features, ratio), target, 1.0, seed)
        weights.append(found.weights[0] * ratio)
        bias.append(found.bias[0])
    return Fit(weighting, scale, np.stack(weights), np.array(bias), seen)


def _batches(rows: np.ndarray) -> Iterator[np.ndarray]:
    return (rows[start : start + JUDGED] for start in range(0, len(rows), JUDGED))


def suspicion(found: Verdicts) -> np.ndarray:
    """Returns the mean of the models' log-odds, each standardised to mean 0 and deviation 1: (N,); low is suspicious.

    NaN without a verdict. Rounded to six digits, so that smaller differences do not decide a rank.
    """
    odds = found.odds[:, found.judged]
    if not odds.size:
        return np.full(len(found.predicted), np.nan)
    spread = odds.std(1, keepdims=True)
    whole = np.full(len(found.predicted), np.nan)
    whole[found.judged] = ((odds - odds.mean(1, keepdims=True)) / np.where(spread > 0, spread, 1)).mean(0).round(6)
    return whole


def most_suspicious(found: Verdicts, docs: pl.DataFrame, labels: Sequence[str]) -> pl.DataFrame:
    """Returns the most suspicious documents whose label differs from the models' class: rank, id, split, label, ...

    docs: id, split and label of each document, in the order of the verdicts.
    """
    names = pl.Series(labels, dtype=pl.String)
    table = docs.with_columns(
        would_be=names.gather(found.predicted),
        probability=pl.Series(found.probability).round(4),
        suspicion=pl.Series(suspicion(found), nan_to_null=True),
    )
    table = table.filter(pl.col("suspicion").is_not_null() & (pl.col("label") != pl.col("would_be")))
    table = table.sort("suspicion", "id").head(LISTED).drop("suspicion")
    return table.with_columns(rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int64)).select("rank", pl.exclude("rank"))


def escape_formulas(table: pl.DataFrame) -> pl.DataFrame:
    """Returns the table with an apostrophe before each text that a spreadsheet would read as a formula."""
    return table.with_columns(pl.col(pl.String).str.replace(FORMULA, "'${0}"))


def summary(found: Verdicts, table: pl.DataFrame) -> Suspects:
    """Returns what the page shows. table: the result of `most_suspicious`, with a column `text`."""
    top = table.head(TOP).with_columns(pl.col("text").str.slice(0, EXCERPT)).drop("rank")
    judged = int(found.judged.sum())
    return Suspects(
        documents=len(found.predicted),
        judged=judged,
        fitted=found.fitted,
        drawn=found.drawn,
        listed=len(table),
        top=[Suspect(**row) for row in top.to_dicts()],
    )

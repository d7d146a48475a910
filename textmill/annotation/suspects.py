"""Labels that look wrong: those that two linear models, fitted to other documents, find improbable.

The documents take turns in being left out of the fits (confident learning, Northcutt et al. 2021). They are ranked by
the mean of both models' standardised log-odds. How many labels are wrong is not told: estimates of that are off by
factors, where a rank is only better or worse.
"""

from collections.abc import Iterator, Sequence
from typing import IO, NamedTuple

import numpy as np
import polars as pl

from textmill.annotation.folds import folds
from textmill.errors import DataError
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
WEIGHTINGS = ("nb", "tfidf")  # one finds what the other misses: with 5 % of labels flipped, both together rank best
NGRAMS = 2
TOKENIZER = WordConfig(kind="word", pattern="any-script", min_freq=1)  # params may have kinds without words
FITTED = 20_000  # documents of a fit: of more, so many are drawn, and all are judged
CELLS = 400_000  # documents times classes of a fit: the time goes by both
LEAST = 5  # documents of a label in a fit; of fewer every one looks wrong
FEWEST = 100  # documents in all; of fewer nothing is told
JUDGED = 5_000  # documents that are judged at a time: it bounds the memory
TOP, EXCERPT = 10, 600  # on the page: how many, and characters of their texts
LISTED = 300  # an hour of reading; with 5 % of labels wrong, half of the first 300 are


class Verdicts(NamedTuple):
    """What the models say of each document that was not among those they were fitted to."""

    odds: np.ndarray  # (M, N): of each model, log-odds of the label against the likeliest other; NaN: cannot be told
    said: np.ndarray  # int (N,): the class that is likeliest in the mean
    probability: np.ndarray  # (N,): that mean
    fitted: int  # documents of the largest fit
    drawn: bool  # whether these are not all that it might have had

    @property
    def judged(self) -> np.ndarray:
        """Documents that can be told something of, bool (N,)."""
        return ~np.isnan(self.odds).any(0)


class Fit(NamedTuple):
    """One linear model: a row of weights for each class that it saw, or one in all for two classes."""

    weighting: str
    scale: np.ndarray  # (F,)
    weights: np.ndarray  # (R, F)
    bias: np.ndarray  # (R,)
    seen: np.ndarray  # the classes

    def log_probabilities(self, counts: Counts, classes: int) -> np.ndarray:
        """Of each class for documents of these n-grams: (N, C), -inf for one that it never saw."""
        logits = weigh(counts, self.scale, self.weighting).times(self.weights) + self.bias
        if len(self.seen) == 2:
            logits = np.concatenate([-logits, logits], 1)
        own = -np.logaddexp(0, -logits)  # one against the rest
        whole = np.full((len(own), classes), -np.inf)
        whole[:, self.seen] = own - np.logaddexp.reduce(own, axis=1, keepdims=True)
        return whole


def encoded(read: Texts, spill: IO[bytes]) -> tuple[Ragged, int]:
    """Texts in the ids of the TOKENIZER that is learned from them, and how many ids there are.

    read, spill: as for `tokenizers.fit`. Texts without any word are one unknown one each.
    """
    try:
        codec, batches = WordTokenizer.fit(read, TOKENIZER, spill, {})
    except DataError:  # there is none in all of them
        return Ragged.of(np.empty(0, np.int32), np.zeros(sum(map(len, read())), int)), SPECIALS
    parts = list(batches)
    ids, lengths = (np.concatenate(each) for each in zip(*((part.ids, part.lengths) for part in parts), strict=True))
    return Ragged.of(ids, lengths), codec.size


def judge(data: Encoded, pieces: np.ndarray, vocabulary: int, classes: int, seed: int) -> Verdicts:
    """Judge each document by models that were fitted to others.

    data: ids below `vocabulary`, class numbers below `classes`. pieces: int (N,); documents with the same number, such
    as equal texts, are left out together.
    """
    documents = len(data.labels)
    odds = np.full((len(WEIGHTINGS), documents), np.nan)
    said, probability = np.zeros(documents, int), np.zeros(documents)
    largest, rng = max(1, min(FITTED, CELLS // classes)), np.random.default_rng(seed)
    fold = folds(pieces, data.labels, FOLDS, rng)
    fitted, drawn = 0, False
    if documents < FEWEST:
        return Verdicts(odds, said, probability, fitted, drawn)
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
            told = np.stack([one.log_probabilities(counts, classes) for one in fits])  # (M, n, C)
            mean = np.exp(told).mean(0)
            said[some], probability[some] = mean.argmax(1), mean.max(1)
            own = (slice(None), np.arange(len(some)), held.labels)
            odds[:, some] = told[own]
            told[own] = -np.inf
            odds[:, some] -= told.max(2)
    return Verdicts(odds, said, probability, fitted, drawn)


def _counted(train: Encoded, vocabulary: int) -> tuple[list[np.ndarray], Counts]:
    found = [grams(train.docs, order, vocabulary) for order in range(1, NGRAMS + 1)]
    return [keys for keys, _ in found], side_by_side([table for _, table in found])


def _fit(counts: Counts, labels: np.ndarray, weighting: str, seed: int) -> Fit:
    """As the family linear fits, but with tfidf, too, one class against the rest: the same bytes on every machine."""
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
    """The mean of the models' log-odds, each brought to mean 0 and deviation 1: (N,), the lowest most suspicious.

    NaN where nothing can be told. Six digits: what differs after them must not decide a rank.
    """
    told = found.odds[:, found.judged]
    if not told.size:
        return np.full(len(found.said), np.nan)
    spread = told.std(1, keepdims=True)
    whole = np.full(len(found.said), np.nan)
    whole[found.judged] = ((told - told.mean(1, keepdims=True)) / np.where(spread > 0, spread, 1)).mean(0).round(6)
    return whole


def listed(found: Verdicts, docs: pl.DataFrame, labels: Sequence[str]) -> pl.DataFrame:
    """The most suspicious documents, for whose label the models would say another one: rank, id, split, label, ...

    docs: id, split and label of each document, in the order of the verdicts.
    """
    names = pl.Series(labels, dtype=pl.String)
    table = docs.with_columns(
        would_be=names.gather(found.said),
        probability=pl.Series(found.probability).round(4),
        suspicion=pl.Series(suspicion(found), nan_to_null=True),
    )
    table = table.filter(pl.col("suspicion").is_not_null() & (pl.col("label") != pl.col("would_be")))
    table = table.sort("suspicion", "id").head(LISTED).drop("suspicion")
    return table.with_columns(rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int64)).select("rank", pl.exclude("rank"))


def for_spreadsheet(table: pl.DataFrame) -> pl.DataFrame:
    """The table with an apostrophe before what a spreadsheet would take for a formula."""
    return table.with_columns(pl.col(pl.String).str.replace(FORMULA, "'${0}"))


def told(found: Verdicts, table: pl.DataFrame) -> Suspects:
    """What the page tells. table: of `listed`, with a column `text`."""
    top = table.head(TOP).with_columns(pl.col("text").str.slice(0, EXCERPT)).drop("rank")
    judged = int(found.judged.sum())
    return Suspects(
        documents=len(found.said),
        judged=judged,
        fitted=found.fitted,
        drawn=found.drawn,
        listed=len(table),
        top=[Suspect(**row) for row in top.to_dicts()],
    )

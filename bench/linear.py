"""A linear model on words and pairs of words, from strings to weights: scikit-learn's way against n-grams of ids.

Run: `make bench ONLY=linear`. CPU seconds of one thread, including tokenization; accuracy is on the test split. C is 10
in the reference (its default, 1, is less accurate) and 0.1 here.
"""

import os

for name in ("POLARS_MAX_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(name, "1")

from tempfile import TemporaryFile

import numpy as np
import polars as pl
from side_by_side import row, side_by_side, texts, write
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from textmill.models import model_entry
from textmill.text.encoding import encode
from textmill.tokenizers.word import WordConfig, WordTokenizer
from textmill.training.task import Fitted, Task

PATTERN = r"[\p{L}\p{M}\p{N}]+(?:'[\p{L}\p{M}\p{N}]+)*|[!?]"
CONFIG = WordConfig(kind="word", lowercase=True, markup="strip", pattern=PATTERN, min_freq=2, max_size=100_000)
ENTRY = {"family": "linear", "tokenizer": "word", "ngrams": 2, "min_count": 2, "weighting": "nb", "c": 0.1}
CPU_SECONDS = 10.0  # limit for the fit on IMDB


def fit(train: pl.DataFrame, names: list[str]) -> tuple[Fitted, WordTokenizer]:
    """Fits our model; a hundredth of the texts serves as the validation split, which only gives scores."""
    with TemporaryFile() as spill:
        tokenizer, _ = WordTokenizer.fit(lambda: [train["text"]], CONFIG, spill, {})
    data, held = (encode(part, tokenizer, names) for part in (train, train[: len(train) // 100]))
    checked = model_entry(ENTRY, {}, "bench")
    return checked.family.fit(checked.config, None, data, held, Task(tokenizer.size, len(names), 0)), tokenizer


def scikit(train: pl.DataFrame) -> tuple[TfidfVectorizer, LogisticRegression]:
    """Fits the reference."""
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), min_df=2)
    features = vectorizer.fit_transform(train["text"].to_list())
    return vectorizer, LogisticRegression(C=10, max_iter=1000).fit(features, train["label"].to_numpy())


def main() -> None:
    train, test = texts("train"), texts("test")
    names = sorted(train["label"].unique())
    fitted, tokenizer = fit(train, names)
    docs = encode(test, tokenizer, names)
    ours = float(np.mean(fitted.model.predict_proba(docs.docs).argmax(1) == docs.labels))
    vectorizer, model = scikit(train)
    reference = model.score(vectorizer.transform(test["text"].to_list()), test["label"].to_numpy())

    case = f"{len(train):,} texts, words and pairs"
    (timed,) = side_by_side({case: lambda: fit(train, names)}, lambda: scikit(train))
    rows = [timed, row(f"the same, against {CPU_SECONDS:.0f} s", timed["ours"], CPU_SECONDS, "cpu s", timed["spread"])]
    rows.append(row(f"error on {len(test):,} test texts", 100 * (1 - ours), 100 * (1 - reference), "%"))
    write("linear", rows)


if __name__ == "__main__":
    main()

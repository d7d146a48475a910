"""Mistake: scoring on the first 2,000 rows of a test split that is sorted by class. They have a single class. No
document of the other class can be found, so its F1 is 0 for any model.

Run `python demos/first_rows.py`. IMDB's test split in the order of its file; a linear model trained on 5,000 reviews.
"""

import numpy as np
import polars as pl
from corpora import documents, encode, tokenizer
from trial import entry, fit, percent, report

from textmill.judging.scoring import all_scores, predictions
from textmill.text.encoding import Encoded
from textmill.text.subset import subset
from textmill.training.task import Fitted

PRESET = "imdb"
TRAIN, ROWS = 5000, 2000


def scored(fitted: Fitted, data: Encoded, labels: list[str]) -> dict[str, str]:
    """Returns accuracy, and F1 of each class."""
    ids = pl.Series([str(row) for row in range(len(data.docs))])
    table = predictions(ids, data.labels, labels, fitted.model.predict_proba(data.docs), data.docs.lengths)
    scores = all_scores({0: table}, 0, labels)
    shown = {"accuracy": percent(scores.accuracy)}
    return shown | {f"F1 of {label}": percent(scores.classes[label].f1) for label in labels}


def main() -> None:
    docs, labels = documents(PRESET, as_filed=True)
    train = docs.filter(split="train").sample(TRAIN, seed=0)
    test = docs.filter(split="test")
    codec = tokenizer(train["text"], PRESET)
    data, held = encode(train, codec, labels), encode(test, codec, labels)
    fitted = fit(entry(PRESET, "linear"), data, subset(data, np.arange(50)), codec.size, seed=0)
    drawn = np.random.default_rng(0).permutation(len(test))[:ROWS]
    parts = {
        f"the first {ROWS:,} rows": subset(held, np.arange(ROWS)),
        f"{ROWS:,} rows drawn at random": subset(held, drawn),
        f"all {len(test):,} rows": held,
    }
    rows = [{"scored on": name} | scored(fitted, part, labels) for name, part in parts.items()]
    report("first_rows", f"IMDB, linear model of {TRAIN:,} reviews", rows)


if __name__ == "__main__":
    main()

"""What each recipe is worth: the LSTM of presets/imdb.yaml with one change at a time, on part of the reviews.

Run `python demos/recipes.py`. Every row is trained with the same seeds on the same documents, and measured on held-out
training reviews, so that no test review chooses a recipe. `worth` is the mean difference from the first row, seed by
seed, with its standard deviation. There are few updates, which favours recipes that learn fast, and differences of less
than a point mean little.
"""

import time
from typing import Any

import numpy as np
import polars as pl
from corpora import documents, drawn
from trial import accuracy, entry, fit, percent, report

from textmill.rows.splits import text_key

PRESET = "imdb"
TRAIN, VALIDATION, HELD_OUT, EPOCHS, SEEDS = 5000, 1000, 5000, 4, range(2)
PLAIN = {"bigrams": 0, "ema": None, "label_smoothing": 0.0, "adversarial": None}
CHANGES: dict[str, dict[str, Any]] = {
    "max and mean of states, dropout .6, one mask a document": {},
    "last state": {"pooling": "last"},
    "mean of states": {"pooling": "mean"},
    "max of states": {"pooling": "max"},
    "attention over states": {"pooling": "attention"},
    "max, mean and last state": {"pooling": "max+mean+last"},
    "dropout: a mask a step": {"locked": False},
    "dropout: none on embeddings": {"dropout": {"embedding": 0.0, "layers": 0.6, "head": 0.6}},
    "dropout: none": {"dropout": 0.0},
    "forget gates begin at 0": {"forget_bias": 0.0},
    "pairs of neighbours": {"bigrams": 100_000},
    "smoothed labels": {"label_smoothing": 0.1},
    "average of weights": {"ema": 0.99},
    "adversarial steps": {"adversarial": 1.0},
    "constant rate": {"schedule": "constant"},
    "rate halved on a plateau": {"schedule": "plateau"},
    "pairs, smoothed labels, average": {"bigrams": 100_000, "label_smoothing": 0.1, "ema": 0.99},
}


def held_out(docs: pl.DataFrame, rows: int) -> pl.DataFrame:
    """Returns the distinct texts of the split train, `rows` of them, sampled, renamed to test."""
    own = docs.filter(split="train")
    own = own.filter(text_key(own["text"]).is_first_distinct()).sample(fraction=1, shuffle=True, seed=1)
    return own.with_columns(split=pl.when(pl.int_range(pl.len()) < rows).then(pl.lit("test")).otherwise("split"))


def main() -> None:
    docs, labels = documents(PRESET)
    data, codec = drawn(held_out(docs, HELD_OUT), labels, PRESET, TRAIN, VALIDATION, HELD_OUT)
    plain, rows = None, []
    for change, keys in CHANGES.items():
        chosen, started = entry(PRESET, "lstm", epochs=EPOCHS, **(PLAIN | keys)), time.process_time()
        fitted = [fit(chosen, data["train"], data["validation"], codec.size, seed) for seed in SEEDS]
        seconds = (time.process_time() - started) / len(fitted)
        right = np.array([accuracy(one, data["test"]) for one in fitted])
        plain = right if plain is None else plain
        row = {"changed": change, "held-out accuracy": percent(right), "worth": percent(right - plain) if keys else ""}
        rows.append(row | {"seconds": f"{seconds:.0f}"})
    sizes = f"{TRAIN:,} reviews to train, {HELD_OUT:,} held out of train"
    report("recipes", f"LSTM, IMDB, {sizes}, {EPOCHS} epochs, {len(SEEDS)} seeds", rows)


if __name__ == "__main__":
    main()

"""What each recipe is worth: the LSTM of presets/imdb.yaml with one thing changed at a time, on a part of the reviews.

Run: `python demos/recipes.py`. Every row is trained with the same seeds, on the same documents; `worth` is the mean of
the differences from the first row, seed by seed, with their standard deviation. The parts are small, which favours
what steadies a network, and a difference of less than a point is hardly one.
"""

import time
from typing import Any

import numpy as np
from corpora import documents, drawn
from trial import accuracy, entry, fit, percent, tell

PRESET = "imdb"
TRAIN, VALIDATION, TEST, EPOCHS, SEEDS = 5000, 1000, 5000, 4, range(2)
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


def main() -> None:
    docs, labels = documents(PRESET)
    data, codec = drawn(docs, labels, PRESET, TRAIN, VALIDATION, TEST)
    plain, rows = None, []
    for change, keys in CHANGES.items():
        chosen, started = entry(PRESET, "lstm", epochs=EPOCHS, **(PLAIN | keys)), time.process_time()
        fitted = [fit(chosen, data["train"], data["validation"], codec.size, seed) for seed in SEEDS]
        seconds = (time.process_time() - started) / len(fitted)
        right = np.array([accuracy(one, data["test"]) for one in fitted])
        plain = right if plain is None else plain
        row = {"changed": change, "test accuracy": percent(right), "worth": percent(right - plain) if keys else ""}
        rows.append(row | {"seconds": f"{seconds:.0f}"})
    tell("recipes", f"LSTM, IMDB, {TRAIN:,} to train, {TEST:,} to test, {EPOCHS} epochs, {len(SEEDS)} seeds", rows)


if __name__ == "__main__":
    main()

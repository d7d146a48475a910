"""Mistake: reading the state after the padding. A network that gets padded documents of one length reads the zeros
after a short review like words, so its last state is the one after the last zero.

Run `python demos/padding.py`. IMDB, sizes as in presets/lab-families-imdb.yaml: a vocabulary of 10,000, the first 200
words, padded at the end. The networks, the seed and the documents are the same; only the state that is classified
differs. It uses part of the reviews and fewer epochs than the notebook: see the table's title.
"""

import numpy as np
from corpora import documents, drawn
from trial import accuracy, entry, fit, percent, report

from textmill.text.encoding import Encoded
from textmill.text.ragged import PAD, Ragged

PRESET = "lab-families-imdb"
STEPS = 200
TRAIN, VALIDATION, TEST, EPOCHS, SEED = 5000, 1000, 3000, 5, 0


def padded(data: Encoded, steps: int) -> Encoded:
    """Returns the first `steps` ids of each document, padded with zeros as if these were words."""
    ids = np.full((len(data.docs), steps), PAD, np.int32)
    for row in range(len(ids)):
        own = data.docs[row][:steps]
        ids[row, : len(own)] = own
    return Encoded(Ragged(ids.ravel(), steps * np.arange(len(ids) + 1)), data.labels)


def main() -> None:
    docs, labels = documents(PRESET)
    right, codec = drawn(docs, labels, PRESET, TRAIN, VALIDATION, TEST)
    wrong = {name: padded(part, STEPS) for name, part in right.items()}
    rows = []
    for model in ("rnn", "lstm"):
        ways = {
            "after the padding": (wrong, "last"),
            "at the last word": (right, "last"),
            "max and mean of all": (right, "max+mean"),
        }
        for way, (data, pooling) in ways.items():
            chosen = entry(PRESET, model, pooling=pooling, epochs=EPOCHS, precision="auto")
            fitted = fit(chosen, data["train"], data["validation"], codec.size, SEED)
            rows.append({"network": model, "state read": way, "test accuracy": percent(accuracy(fitted, data["test"]))})
    report("padding", f"IMDB, {TRAIN:,} to train, {TEST:,} to test, {EPOCHS} epochs, one seed", rows)


if __name__ == "__main__":
    main()

"""Mistake: the vocabulary is counted over all splits. The test's words get ids of their own, whose vectors nothing
trained, and the share of unknown words there reads 0, which no new text will have.

Run: `python demos/vocabulary.py`. Sentence polarity, words that stand once kept; the same network with a vocabulary of
the training split, and of all three splits. `new` are sentences that no vocabulary saw, as every text is once a model
is in use. Accuracy moves less than from seed to seed; it is the count of unknown words that is false.
"""

import numpy as np
from corpora import documents, encode, tokenizer
from trial import accuracy, entry, fit, percent, tell

from textmill.text.encoding import Encoded
from textmill.text.ragged import UNK
from textmill.text.subset import subset

PRESET = "mr"
SIZES = {"train": 4000, "validation": 1066, "test": 2500}  # the rest is new
EPOCHS, SEEDS = 5, range(5)


def unknown(data: Encoded) -> float:
    """Share of the ids that stand for no word."""
    return float(np.mean(data.docs.ids == UNK))


def main() -> None:
    docs, labels = documents(PRESET)
    ends = np.cumsum(list(SIZES.values()))
    found: dict[str, list[tuple[float, ...]]] = {"train": [], "all splits": []}
    for seed in SEEDS:
        order = np.random.default_rng(seed).permutation(len(docs))
        for seen, last in zip(found, (ends[0], ends[-1]), strict=True):
            codec = tokenizer(docs[order[:last]]["text"], PRESET, min_freq=1)
            train, validation, test, new = (subset(encode(docs, codec, labels), rows) for rows in np.split(order, ends))
            chosen = entry(PRESET, "lstm", epochs=EPOCHS)
            fitted = fit(chosen, train, validation, codec.size, seed)
            found[seen].append((unknown(test), unknown(new), accuracy(fitted, test), accuracy(fitted, new)))
    rows = []
    for seen, measured in found.items():
        columns = [percent(values) for values in zip(*measured, strict=True)]
        names = ["unknown, test", "unknown, new", "accuracy, test", "accuracy, new"]
        rows.append({"vocabulary of": seen} | dict(zip(names, columns, strict=True)))
    tell("vocabulary", f"MR, {SIZES['train']:,} to train, {EPOCHS} epochs, {len(SEEDS)} seeds", rows)


if __name__ == "__main__":
    main()

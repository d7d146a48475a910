"""Mistake: counting the vocabulary over all splits. Words of the test split get their own ids, whose vectors are never
trained, and the share of unknown words there is 0, as it will not be for new texts.

Run `python demos/vocabulary.py`. Sentence polarity, including words that occur once. The same network with a vocabulary
of the training split, and of all three splits. `new` are sentences that no vocabulary saw, like every text in use.
Accuracy changes less than between seeds; the count of unknown words is what misleads.
"""

import numpy as np
from corpora import documents, encode, tokenizer
from trial import accuracy, entry, fit, percent, report

from textmill.text.encoding import Encoded
from textmill.text.ragged import UNK
from textmill.text.subset import subset

PRESET = "mr"
SIZES = {"train": 4000, "validation": 1066, "test": 2500}  # the rest is new
EPOCHS, SEEDS = 5, range(5)


def unknown(data: Encoded) -> float:
    """Returns the share of ids that are unknown words."""
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
    report("vocabulary", f"MR, {SIZES['train']:,} to train, {EPOCHS} epochs, {len(SEEDS)} seeds", rows)


if __name__ == "__main__":
    main()

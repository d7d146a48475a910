"""Mistake: a random split of texts that occur several times. Most test rows then have a twin in train.

Run `python demos/twins.py`. 2,000 customer comments, of which 1,152 are distinct (presets/comentarios.yaml), and 867
after removing digits, as the notebook's tokens `[a-záéíóúüñ]+` do: identical to the model, if not to people. They are
split at random, with equal texts on one side, and with equal words on one side. The linear model gets everything right
each time: the topics are so clear that this data cannot rank models, with or without twins. A memory, which knows the
training rows and otherwise guesses, shows how much a random split gives away.
"""

import numpy as np
import polars as pl
from corpora import documents, encode, tokenizer
from trial import accuracy, entry, fit, percent, report

from textmill.rows.splits import outline, piece_numbers, split_off
from textmill.text.subset import subset

PRESET = "comentarios"
PATTERN = "[a-záéíóúüñ]+"
TEST, SEEDS = 0.2, range(5)


def words(texts: pl.Series) -> pl.Series:
    """Returns the words of each text that the notebook's model sees."""
    return texts.str.to_lowercase().str.extract_all(PATTERN).list.join(" ")


def remembered(train: pl.DataFrame, test: pl.DataFrame) -> tuple[float, float]:
    """Returns the share of test texts whose words are in train, and the accuracy of a memory of train."""
    known = dict(zip(words(train["text"]), train["label"], strict=True))
    guess = train["label"].value_counts().sort("count", "label", descending=True)["label"][0]
    answers = [known.get(text) for text in words(test["text"])]
    right = [(answer or guess) == label for answer, label in zip(answers, test["label"], strict=True)]
    return float(np.mean([answer is not None for answer in answers])), float(np.mean(right))


def twins(train: pl.Series, test: pl.Series) -> float:
    """Returns the share of test texts that are in train."""
    return float(test.is_in(train.implode()).mean())


def main() -> None:
    docs, labels = documents(PRESET)
    classes = docs["label"].replace_strict(labels, range(len(labels)), return_dtype=pl.Int64).to_numpy()
    ways = {
        "at random": np.arange(len(docs)),
        "equal texts together": piece_numbers(outline(docs, labels), "text"),
        "equal words together": words(docs["text"]).rank("dense").to_numpy(),
    }
    rows = []
    for way, pieces in ways.items():
        measured = []
        for seed in SEEDS:
            aside = split_off(pieces, classes, TEST, np.random.default_rng(seed))
            train, test = docs.filter(~aside), docs.filter(aside)
            codec = tokenizer(train["text"], PRESET, pattern=PATTERN)
            data, held = encode(train, codec, labels), encode(test, codec, labels)
            fitted = fit(entry(PRESET, "linear"), data, subset(data, np.arange(50)), codec.size, seed)
            measured.append((twins(train["text"], test["text"]), *remembered(train, test), accuracy(fitted, held)))
        names = ["same text in train", "same words in train", "memory right", "linear right"]
        columns = [percent(values) for values in zip(*measured, strict=True)]
        rows.append({"cut": way} | dict(zip(names, columns, strict=True)))
    report("twins", f"{len(docs):,} comments, {TEST:.0%} to test, {len(SEEDS)} seeds", rows)


if __name__ == "__main__":
    main()

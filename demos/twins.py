"""Mistake: a random split of texts that stand there several times. Most test rows then have a twin in train.

Run: `python demos/twins.py`. 2,000 comments of customers, 1,152 different ones (presets/comentarios.yaml), and 867 once
digits are dropped, which the notebook's tokens `[a-záéíóúüñ]+` do: twins to the model, if not to the eye. Cut at
random, with equal texts on one side, and with equal words on one side. The linear model has all right in each: the
topics are so plain that this data can rank no models, twins or not. A memory, which knows the training rows and guesses
otherwise, shows what a random split alone is worth.
"""

import numpy as np
import polars as pl
from corpora import documents, encode, tokenizer
from trial import accuracy, entry, fit, percent, tell

from textmill.rows.splits import cut, outline, together
from textmill.text.subset import subset

PRESET = "comentarios"
PATTERN = "[a-záéíóúüñ]+"
TEST, SEEDS = 0.2, range(5)


def words(texts: pl.Series) -> pl.Series:
    """What the notebook's model sees of each text."""
    return texts.str.to_lowercase().str.extract_all(PATTERN).list.join(" ")


def remembered(train: pl.DataFrame, test: pl.DataFrame) -> tuple[float, float]:
    """Share of the test texts whose words stand in train, and the accuracy of knowing these and else the commonest."""
    known = dict(zip(words(train["text"]), train["label"], strict=True))
    guess = train["label"].value_counts().sort("count", "label", descending=True)["label"][0]
    answers = [known.get(text) for text in words(test["text"])]
    right = [(answer or guess) == label for answer, label in zip(answers, test["label"], strict=True)]
    return float(np.mean([answer is not None for answer in answers])), float(np.mean(right))


def twins(train: pl.Series, test: pl.Series) -> float:
    """Share of the test texts that stand in train."""
    return float(test.is_in(train.implode()).mean())


def main() -> None:
    docs, labels = documents(PRESET)
    classes = docs["label"].replace_strict(labels, range(len(labels)), return_dtype=pl.Int64).to_numpy()
    ways = {
        "at random": np.arange(len(docs)),
        "equal texts together": together(outline(docs, labels), "text"),
        "equal words together": words(docs["text"]).rank("dense").to_numpy(),
    }
    rows = []
    for way, pieces in ways.items():
        measured = []
        for seed in SEEDS:
            aside = cut(pieces, classes, TEST, np.random.default_rng(seed))
            train, test = docs.filter(~aside), docs.filter(aside)
            codec = tokenizer(train["text"], PRESET, pattern=PATTERN)
            data, held = encode(train, codec, labels), encode(test, codec, labels)
            fitted = fit(entry(PRESET, "linear"), data, subset(data, np.arange(50)), codec.size, seed)
            measured.append((twins(train["text"], test["text"]), *remembered(train, test), accuracy(fitted, held)))
        names = ["same text in train", "same words in train", "memory right", "linear right"]
        columns = [percent(values) for values in zip(*measured, strict=True)]
        rows.append({"cut": way} | dict(zip(names, columns, strict=True)))
    tell("twins", f"{len(docs):,} comments, {TEST:.0%} to test, {len(SEEDS)} seeds", rows)


if __name__ == "__main__":
    main()

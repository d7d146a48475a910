"""Do forecasts of more labels hold? A curve is measured on part of the documents, then twice and four times as many are
used, as if they had been labelled since.

Run `python demos/more_labels.py`. Forty draws of the test split, the part, and the documents added. The forecast for
twice the documents uses half of the rest, the one for four times a quarter. Each size has its own tokenizer. `held`:
how often the actual score was in the 95 % interval; `width`: the interval's width, in points.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl
from corpora import documents, encode, tokenizer
from trial import accuracy, entry, fit, percent, report

from textmill.annotation.curve import measure, nested, with_forecasts
from textmill.annotation.score_cache import ScoreCache
from textmill.models import model_entry
from textmill.rows.splits import pieces, split_off
from textmill.text.subset import subset
from textmill.training.task import Task

PRESETS = {"mr": ("MR", "text"), "rotten-tomatoes": ("the default", "group"), "imdb": ("IMDB, 12,000", "text")}
SAMPLE, HELD, DRAWS, TIMES = {"imdb": 12_000}, {"imdb": 1 / 3}, 40, (2, 4)


def forecast(preset: str, docs: pl.DataFrame, names: list[str], by: str, times: int, draw: int) -> list[float] | None:
    """Returns whether the forecast held, its width, the forecast gain and the actual gain; None without a forecast."""
    rng = np.random.default_rng(draw)
    tied, labels = pieces([docs], names, by), docs["label"].replace_strict(names, range(len(names))).to_numpy()
    aside = split_off(tied, labels, HELD.get(preset, 0.2), rng)
    test, pool = docs.filter(aside), np.flatnonzero(~aside)
    order = pool[nested(tied[pool], labels[pool], rng)]

    def drawn(rows: int):
        part = docs.gather(np.sort(order[:rows]))
        codec = tokenizer(part["text"], preset)
        return encode(part, codec, names), encode(test, codec, names), codec.size

    chosen = entry(preset, "linear")
    data, held, vocabulary = drawn(len(pool) // times)
    some = subset(data, np.arange(10))  # nothing is chosen by them
    model, task = model_entry(*chosen, "demo"), Task(vocabulary, len(names), draw)
    own = tied[np.sort(order[: len(data.labels)])]
    with TemporaryDirectory() as folder:
        sizes = measure(model, data, some, held, task, own, "accuracy", ScoreCache(Path(folder), "demo", []))
    curve = with_forecasts(sizes, "accuracy", by, 0.05, len(np.unique(own)))
    if not curve.forecasts:
        return None
    expected = next(one for one in curve.forecasts if one.times == times)
    data, held, vocabulary = drawn(len(pool) // times * times)
    came = accuracy(fit(chosen, data, some, vocabulary, draw), held)
    return [
        expected.low <= came <= expected.high,
        expected.high - expected.low,
        expected.score - curve.now,
        came - curve.now,
    ]


def main() -> None:
    rows = []
    for preset, (title, by) in PRESETS.items():
        docs, names = documents(preset)
        docs = docs.filter(pl.col("split") == "train") if preset == "imdb" else docs
        docs = docs.sample(min(SAMPLE.get(preset, len(docs)), len(docs)), seed=0)
        for times in TIMES:
            made = [forecast(preset, docs, names, by, times, draw) for draw in range(DRAWS)]
            row = {"documents": title, "times": times, "forecasts": sum(one is not None for one in made)}
            names_of = ["held", "width", "forecast", "came"]
            known = list(zip(*(one for one in made if one), strict=True)) or [[float("nan")]] * len(names_of)
            means = [percent(float(np.mean(column))) for column in known]
            rows.append(row | dict(zip(names_of, means, strict=True)))
    report("more_labels", f"a linear model's forecasts, {DRAWS} draws", rows)


if __name__ == "__main__":
    main()

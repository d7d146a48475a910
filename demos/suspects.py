"""Are the labels at the top of `metrics/suspects.csv` wrong? Five per cent of all labels are changed on purpose.

Run `python demos/suspects.py`. Ten draws of wrong labels. The share of changed labels among the 50 and the 100 most
suspicious documents, ranked by each of the two linear models alone, and by the mean of both, as the stage does. Labels
that were wrong before count as false alarms, so the true shares are a little better.
"""

from io import BytesIO

import numpy as np
import polars as pl
from corpora import documents
from trial import percent, report

from textmill.annotation.suspects import WEIGHTINGS, encoded, judge, suspicion
from textmill.rows.splits import pieces
from textmill.text.encoding import Encoded, classes

PRESETS = {"mr": ("MR", "text"), "rotten-tomatoes": ("the default", "group"), "imdb": ("IMDB, 5,000", "text")}
SAMPLE, DRAWS, WRONG, FIRST = {"imdb": 5000}, 10, 0.05, (50, 100)


def main() -> None:
    rows = []
    for preset, (title, by) in PRESETS.items():
        docs, names = documents(preset)
        docs = docs.filter(pl.col("split") != "unlabelled") if preset == "imdb" else docs
        docs = docs.sample(min(SAMPLE.get(preset, len(docs)), len(docs)), seed=0)
        with BytesIO() as spill:
            ids, vocabulary = encoded(lambda docs=docs: [docs["text"]], spill)
        tied, labels = pieces([docs], names, by), classes(docs["label"], names)
        found: dict[str, list[list[float]]] = {name: [] for name in (*WEIGHTINGS, "both")}
        for draw in range(DRAWS):
            rng = np.random.default_rng(draw)
            wrong = rng.random(len(docs)) < WRONG
            flipped = np.where(wrong, (labels + rng.integers(1, len(names), len(docs))) % len(names), labels)
            verdicts = judge(Encoded(ids, flipped), tied, vocabulary, len(names), draw)
            each = {name: verdicts._replace(odds=verdicts.odds[[row]]) for row, name in enumerate(WEIGHTINGS)}
            for name, one in (each | {"both": verdicts}).items():
                order = np.argsort(suspicion(one), kind="stable")
                found[name].append([wrong[order[:first]].mean() for first in FIRST])
        for name, shares in found.items():
            cells = [percent(column) for column in zip(*shares, strict=True)]
            heads = [f"wrong of the first {first}" for first in FIRST]
            rows.append({"labels of": title, "ranked by": name} | dict(zip(heads, cells, strict=True)))
    report("suspects", f"{WRONG:.0%} of labels flipped, {DRAWS} draws", rows)


if __name__ == "__main__":
    main()

"""The comparison of many models at its largest: 20 models of 5 seeds, 100 classes, 25,000 test documents, 190 pairs.

Run: `make bench ONLY=compare`. Made-up answers. `ours` is `compare`; `reference` is a bootstrap of 2,000 resamples of
the same documents for accuracy alone, with nothing but its sums. `memory` is how much the process grew, in MB.
"""

import resource
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from side_by_side import side_by_side, write

from textmill.judging.answers import Answers
from textmill.judging.comparison import TOLD, CompareConfig, Evaluated, compare

MODELS, SEEDS, CLASSES, ROWS, GROUPS, RESAMPLES = 20, 5, 100, 25_000, 1000, 2000


def made_up() -> dict[str, Evaluated]:
    """Models that are right on 70 to 80 % of the documents, and else take one of three neighbouring classes."""
    random = np.random.default_rng(0)
    actual, group = random.integers(CLASSES, size=ROWS), random.integers(GROUPS, size=ROWS)
    wrong, ids = (actual + random.integers(1, 4, size=ROWS)) % CLASSES, pl.Series(np.arange(ROWS).astype(str))
    models = {}
    for number in range(MODELS):
        runs = [np.where(random.random(ROWS) < 0.7 + number / 200, actual, wrong) for _ in range(SEEDS)]
        said = Answers(ids, actual, np.stack(runs), group)
        labels, scores = [str(label) for label in range(CLASSES)], dict.fromkeys(TOLD, 0.5)
        models[str(number)] = Evaluated(Path("made-up"), "x", "word", 1, 0.5, scores, labels, said, said)
    return models


def bootstrap(models: dict[str, Evaluated]) -> None:
    """Accuracies of all models on resampled documents."""
    random = np.random.default_rng(0)
    right = np.stack([(each.test.predicted == each.test.actual).mean(0) for each in models.values()], axis=1)
    for _ in range(RESAMPLES):
        np.bincount(random.integers(ROWS, size=ROWS), minlength=ROWS) @ right


def main() -> None:
    models = made_up()
    rows: list[dict[str, Any]] = []
    for metric in ("accuracy", "f1_macro"):
        for by in ("text", "group"):
            config, before = CompareConfig(metric=metric, alpha=0.05), memory()
            way = {f"{metric}, by {by}": lambda config=config, by=by: compare(config, 1, "made-up", {}, models, by)}
            rows += side_by_side(way, lambda: bootstrap(models), runs=1)
            rows[-1] |= {"memory": round(memory() - before)}
    write("compare", rows)


def memory() -> float:
    """The most that this process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()

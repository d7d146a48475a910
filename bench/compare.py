"""A large comparison: 20 models with 5 seeds each, 100 classes, 25,000 test documents, 190 pairs, random answers.

Run: `make bench ONLY=compare`. `ours` is `compare`; `reference` computes only the sums of a bootstrap of accuracy, with
2,000 resamples of the same documents. `memory` is the growth of the process, in MB.
"""

import resource
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from side_by_side import side_by_side, write

from textmill.judging.answers import Answers
from textmill.judging.comparison import REPORTED, CompareConfig, Evaluated, compare

MODELS, SEEDS, CLASSES, ROWS, GROUPS, RESAMPLES = 20, 5, 100, 25_000, 1000, 2000


def made_up() -> dict[str, Evaluated]:
    """Returns models that are right on 70 to 80 % of the documents and else predict one of three other classes."""
    random = np.random.default_rng(0)
    actual, group = random.integers(CLASSES, size=ROWS), random.integers(GROUPS, size=ROWS)
    wrong, ids = (actual + random.integers(1, 4, size=ROWS)) % CLASSES, pl.Series(np.arange(ROWS).astype(str))
    models = {}
    for number in range(MODELS):
        runs = [np.where(random.random(ROWS) < 0.7 + number / 200, actual, wrong) for _ in range(SEEDS)]
        said = Answers(ids, actual, np.stack(runs), group)
        labels, scores = [str(label) for label in range(CLASSES)], dict.fromkeys(REPORTED, 0.5)
        models[str(number)] = Evaluated(Path("made-up"), "x", "word", 1, 0.5, scores, labels, said, said)
    return models


def bootstrap(models: dict[str, Evaluated]) -> None:
    """Computes the accuracies of all models on resampled documents."""
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
    """Returns the peak memory of this process, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()

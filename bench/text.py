"""Text to ids: the notebooks' way (Python's re, Counter and dict, text by text) against the word tokenizer.

Same rules on both sides, and the same ids: asserted. Run: `make bench`, or `python bench/text.py`.
Data: the training reviews of IMDB if TEXTMILL_HUB_MIRROR is set, else the training split that `make repro` made.
"""

import json
import os
import platform
import re
import statistics
import time
import unicodedata
from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl

from textmill.tokenizers.word import ENTITIES, SPECIALS, TAG, UNK, WordConfig, WordTokenizer

PATTERN = r"[a-z0-9]+(?:'[a-z0-9]+)*|[!?]"
CONFIG = WordConfig(kind="word", lowercase=True, markup="strip", pattern=PATTERN, min_freq=2, max_size=50_000)
RUNS = 3


def texts() -> pl.Series:
    """The texts that both sides read."""
    if mirror := os.environ.get("TEXTMILL_HUB_MIRROR"):
        return pl.read_parquet(Path(mirror) / "stanfordnlp/imdb/plain_text/train-*.parquet")["text"]
    return pl.read_parquet("data/split/train.parquet")["text"]


def notebook(rows: list[str]) -> np.ndarray:
    """Clean, cut, count, look up: one text at a time."""
    tokens = []
    for text in rows:
        text = re.sub(TAG, " ", unicodedata.normalize("NFC", text))
        for entity, character in ENTITIES.items():
            text = text.replace(entity, character)
        tokens.append(re.findall(PATTERN, text.lower()))
    counts = Counter(word for document in tokens for word in document)
    kept = sorted((word for word, n in counts.items() if n >= 2), key=lambda word: (-counts[word], word))
    index = {word: number + SPECIALS for number, word in enumerate(kept[: CONFIG.max_size - SPECIALS])}
    return np.array([index.get(word, UNK) for document in tokens for word in document or [""]], np.int32)


def textmill(column: pl.Series) -> np.ndarray:
    """The same by polars kernels."""
    return WordTokenizer.learn(column, CONFIG).encode(column).ids


def timed(function, argument) -> tuple[np.ndarray, float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    result = function(argument)
    return result, time.perf_counter() - wall, time.process_time() - cpu


def main() -> None:
    column = texts()
    rows = column.to_list()
    ours, theirs = [], []
    for _ in range(RUNS):  # in turn: a machine that slows down slows both
        ids, *seconds = timed(textmill, column)
        ours.append(seconds)
        expected, *seconds = timed(notebook, rows)
        theirs.append(seconds)
        assert np.array_equal(ids, expected), "not the same work"
    report = []
    for unit, number in (("wall s", 0), ("cpu s", 1)):
        a, b = (sorted(run[number] for run in side) for side in (ours, theirs))
        case = {"case": f"{len(rows)} texts, {len(ids)} tokens", "ours": round(a[0], 3), "reference": round(b[0], 3)}
        spread = round(statistics.median(b) / statistics.median(a), 2)
        report.append({**case, "unit": unit, "ratio": round(b[0] / a[0], 2), "ratio_of_medians": spread})
        print(f"{case['case']}: {unit} {a[0]:.2f} against {b[0]:.2f}, {b[0] / a[0]:.1f}x (of medians {spread}x)")
    out = Path("bench/results/text.json")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(
        json.dumps({"machine": f"{platform.machine()}, {os.cpu_count()} cores", "cases": report}, indent=2) + "\n"
    )


if __name__ == "__main__":
    main()

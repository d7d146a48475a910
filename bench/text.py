"""Texts to ids: the notebooks' way (Python's re, str.split, Counter and dict, text by text) against the word tokenizer.

Run: `make bench ONLY=text`. Both sides read the texts twice, for the vocabulary and for the ids, as the stages `vocab`
and `encode` do (the notebooks do so again in every epoch); in a second row the reference keeps its tokens in between.
Asserts the same number of tokens, the same vocabulary and the same ids. CPU seconds of one thread; one row is from a
separate process with two threads, in wall seconds.
"""

import os

os.environ.setdefault("POLARS_MAX_THREADS", "1")

import json
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import Any

import numpy as np
import polars as pl
from nltk.tokenize import NLTKWordTokenizer
from notebook import as_started
from side_by_side import row, side_by_side, texts, write

from textmill.processes import keep_memory
from textmill.text.counting import IN_MEMORY
from textmill.text.ragged import SPECIALS, UNK
from textmill.tokenizers.word import WordConfig, WordTokenizer

BATCH = 3_125  # texts: about 4 MB, as in the stages
FEW = 2_500  # texts for nltk
NLTK = NLTKWordTokenizer()
TWO = "two-threads"  # the argument of the process with two threads

REGEX = WordConfig(kind="word", lowercase=True, markup="breaks", pattern=r"[a-z0-9']+", min_freq=3, max_size=30_000)
LETTERS = REGEX.model_copy(update={"pattern": r"[\p{L}\p{M}]+", "markup": "strip", "max_size": 10_000})

Cut = Callable[[str], list[str]]


def regex_tokens(text: str) -> list[str]:
    """Tokenizes as the regex notebook does, which blanks everything but letters, digits and apostrophes."""
    text = re.sub(r"<br />", " ", text.lower())
    return re.sub(r"[^a-z0-9'\s]", " ", text).split()


def nltk_tokens(text: str) -> list[str]:
    """Tokenizes as the nltk notebook does, which keeps words of letters only, but without splitting sentences first."""
    return [word for word in NLTK.tokenize(text.lower()) if word.isalpha()]


def notebook(rows: list[str], cut: Cut, config: WordConfig, keep: bool = False) -> tuple[list[str], list[list[int]]]:
    """Returns vocabulary and ids. keep: whether the second pass uses the tokens of the first."""
    kept = [cut(text) for text in rows] if keep else None
    counts: Counter[str] = Counter()
    for tokens in kept or map(cut, rows):
        counts.update(tokens)
    frequent = [word for word, count in counts.items() if count >= config.min_freq]
    words = sorted(frequent, key=lambda word: (-counts[word], word))[: config.max_size - SPECIALS]
    index = {word: number + SPECIALS for number, word in enumerate(words)}
    return words, [[index.get(word, UNK) for word in tokens] for tokens in kept or map(cut, rows)]


def ours(column: pl.Series, config: WordConfig) -> tuple[tuple[str, ...], list[np.ndarray]]:
    """Returns the same as the stage `vocab` computes it, in batches."""
    keep_memory()  # as the stage does
    with SpooledTemporaryFile(IN_MEMORY) as spill:
        tokenizer, documents = WordTokenizer.fit(
            lambda: (column.slice(first, BATCH) for first in range(0, len(column), BATCH)), config, spill
        )
        return tokenizer.vocabulary, [docs.ids for docs in documents]


def resident() -> float:
    """Returns this process's peak memory so far, in MB (Linux; 0 elsewhere). Writing 5 to clear_refs resets it."""
    status = Path("/proc/self/status")
    line = next((line for line in status.read_text().splitlines() if "VmHWM" in line), "0") if status.exists() else "0"
    return int(re.search(r"\d+", line)[0]) / 1000


def memory(work: Callable[[], object]) -> float:
    """Returns the peak memory of `work`, in MB, beyond what was in use before."""
    Path("/proc/self/clear_refs").write_text("5")
    before = resident()
    work()
    return resident() - before


def in_two_threads() -> list[dict[str, Any]]:
    """Measures the first row again, in wall seconds, in a process with two threads."""
    environment = {**os.environ, "POLARS_MAX_THREADS": "2"}
    done = subprocess.run([sys.executable, __file__, TWO], env=environment, check=True, stdout=subprocess.PIPE)
    printed, _, rows = done.stdout.decode().strip().rpartition("\n")
    print(printed, flush=True)
    return json.loads(rows)


def two_threads() -> None:
    """Prints the row of the process that `in_two_threads` starts, in readable form and as json."""
    column = texts()["text"]
    rows = column.to_list()
    ways = {f"regex: {len(rows):,} texts, two threads": lambda: ours(column, REGEX)}
    print(json.dumps(side_by_side(ways, lambda: as_started(notebook, rows, regex_tokens, REGEX), runs=5, wall=True)))


def main() -> None:
    column = texts()["text"]
    rows = column.to_list()
    peak = memory(lambda: ours(column, REGEX))  # first, so that no memory freed earlier is used again

    words, ids = notebook(rows, regex_tokens, REGEX)
    mine, batches = ours(column, REGEX)
    found = np.concatenate(batches)
    assert list(mine) == words, "not the same vocabulary"
    assert np.array_equal(found, [number for document in ids for number in document or [UNK]]), "not the same ids"
    count = f"{len(rows):,} texts, {len(found):,} tokens"
    results = [
        *side_by_side(
            {f"regex: {count}": lambda: ours(column, REGEX)},
            lambda: as_started(notebook, rows, regex_tokens, REGEX),
            runs=5,
        ),
        *in_two_threads(),
        *side_by_side(
            {f"regex, tokens kept: {count}": lambda: ours(column, REGEX)},
            lambda: as_started(notebook, rows, regex_tokens, REGEX, True),
        ),
        *side_by_side(
            {f"nltk: {min(FEW, len(rows)):,} texts": lambda: ours(column[:FEW], LETTERS)},
            lambda: as_started(notebook, rows[:FEW], nltk_tokens, LETTERS),
        ),
        row("peak memory over the texts, against 300 MB", peak, 300, "MB"),
    ]
    with SpooledTemporaryFile(IN_MEMORY) as spill:
        tokenizer, _ = WordTokenizer.fit(lambda: [column], REGEX, spill, {})
    tokenizer.encode(column[:1])  # builds the look-up table
    single = min(timed(lambda n=n: tokenizer.encode(column[n : n + 1])) for n in range(200))
    write("text", [*results, row("one text, against 1 ms", 1000 * single, 1, "ms")])


def timed(work: Callable[[], object]) -> float:
    """Returns the wall seconds of `work`."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    two_threads() if sys.argv[1:] == [TWO] else main()

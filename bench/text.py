"""Texts to ids: the notebooks' way (Python's re, str.split, Counter and dict, text by text) against the word tokenizer.

Run: `make bench ONLY=text`. Both sides go over the texts twice, once for the vocabulary and once for the ids, as the
stages `vocab` and `encode` do (the notebooks: once more in every epoch); a second row lets the reference keep its
tokens in between. Asserted: the same number of tokens, the same vocabulary, the same ids. CPU seconds, one thread; one
row is of a process of its own with two, in seconds of the wall.
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

BATCH = 3_125  # texts: some 4 MB, which is what the stages hold at a time
FEW = 2_500  # texts for nltk
NLTK = NLTKWordTokenizer()
TWO = "two-threads"  # the argument of a process that has them

REGEX = WordConfig(kind="word", lowercase=True, markup="breaks", pattern=r"[a-z0-9']+", min_freq=3, max_size=30_000)
LETTERS = REGEX.model_copy(update={"pattern": r"[\p{L}\p{M}]+", "markup": "strip", "max_size": 10_000})

Cut = Callable[[str], list[str]]


def regex_tokens(text: str) -> list[str]:
    """What the regex notebook keeps: everything but letters, digits and apostrophes is blanked."""
    text = re.sub(r"<br />", " ", text.lower())
    return re.sub(r"[^a-z0-9'\s]", " ", text).split()


def nltk_tokens(text: str) -> list[str]:
    """What the nltk notebook keeps: words of letters alone (sentences are not split first, which would cost more)."""
    return [word for word in NLTK.tokenize(text.lower()) if word.isalpha()]


def notebook(rows: list[str], cut: Cut, config: WordConfig, keep: bool = False) -> tuple[list[str], list[list[int]]]:
    """Vocabulary and ids. `keep`: the tokens of the first pass serve the second, too."""
    kept = [cut(text) for text in rows] if keep else None
    counts: Counter[str] = Counter()
    for tokens in kept or map(cut, rows):
        counts.update(tokens)
    frequent = [word for word, count in counts.items() if count >= config.min_freq]
    words = sorted(frequent, key=lambda word: (-counts[word], word))[: config.max_size - SPECIALS]
    index = {word: number + SPECIALS for number, word in enumerate(words)}
    return words, [[index.get(word, UNK) for word in tokens] for tokens in kept or map(cut, rows)]


def ours(column: pl.Series, config: WordConfig) -> tuple[tuple[str, ...], list[np.ndarray]]:
    """The same by the way of the stage `vocab`, in batches."""
    keep_memory()  # as the stage does
    with SpooledTemporaryFile(IN_MEMORY) as spill:
        tokenizer, documents = WordTokenizer.fit(
            lambda: (column.slice(first, BATCH) for first in range(0, len(column), BATCH)), config, spill
        )
        return tokenizer.vocabulary, [docs.ids for docs in documents]


def resident() -> float:
    """Most memory of this process so far, MB (Linux; 0 elsewhere). Writing 5 to clear_refs begins anew."""
    status = Path("/proc/self/status")
    line = next((line for line in status.read_text().splitlines() if "VmHWM" in line), "0") if status.exists() else "0"
    return int(re.search(r"\d+", line)[0]) / 1000


def memory(work: Callable[[], object]) -> float:
    """MB that `work` needs at its height, beyond what is held before it."""
    Path("/proc/self/clear_refs").write_text("5")
    before = resident()
    work()
    return resident() - before


def in_two_threads() -> list[dict[str, Any]]:
    """The first row once more, of a process that may have two threads, by the wall's clock."""
    environment = {**os.environ, "POLARS_MAX_THREADS": "2"}
    done = subprocess.run([sys.executable, __file__, TWO], env=environment, check=True, stdout=subprocess.PIPE)
    printed, _, rows = done.stdout.decode().strip().rpartition("\n")
    print(printed, flush=True)
    return json.loads(rows)


def two_threads() -> None:
    """What `in_two_threads` starts: the row for people, and as json."""
    column = texts()["text"]
    rows = column.to_list()
    ways = {f"regex: {len(rows):,} texts, two threads": lambda: ours(column, REGEX)}
    print(json.dumps(side_by_side(ways, lambda: as_started(notebook, rows, regex_tokens, REGEX), runs=5, wall=True)))


def main() -> None:
    column = texts()["text"]
    rows = column.to_list()
    peak = memory(lambda: ours(column, REGEX))  # first: nothing freed earlier may be used again

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
    """Wall seconds."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    two_threads() if sys.argv[1:] == [TWO] else main()

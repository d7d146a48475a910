"""Text to ids: the notebooks' way (Python's re, Counter and dict, text by text) against the word tokenizer.

Same rules on both sides, and the same ids: asserted. Run: `make bench ONLY=text`.
"""

import re
import unicodedata
from collections import Counter

import numpy as np
from side_by_side import side_by_side, texts, write

from textmill.tokenizers.word import ENTITIES, SPECIALS, TAG, UNK, WordConfig, WordTokenizer

PATTERN = r"[a-z0-9]+(?:'[a-z0-9]+)*|[!?]"
CONFIG = WordConfig(kind="word", lowercase=True, markup="strip", pattern=PATTERN, min_freq=2, max_size=50_000)


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


def main() -> None:
    column, _ = texts()
    rows = column.to_list()

    def ours() -> np.ndarray:
        return WordTokenizer.learn([column], CONFIG).encode(column).ids

    assert np.array_equal(ours(), notebook(rows)), "not the same work"
    write("text", [side_by_side(f"{len(rows):,} texts to ids", ours, lambda: notebook(rows))])


if __name__ == "__main__":
    main()

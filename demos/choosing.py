"""Mistakes: choosing on the test split, and telling the best validation score as the result. Whatever picks the best
of several candidates also picks their luck: the winner's score there is too good.

Run: `python demos/choosing.py`. Sentence polarity (10,662 sentences), cut anew by every seed. Candidates: every epoch
of three LSTMs. Of the sentences that trained none of them, some are drawn to choose; the notebooks tell the winner's
score on these. What it is worth is its score on all the others, as it would be on a test split that chose nothing.
Each seed takes the mean over many draws.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import numpy as np
from corpora import documents, encode, tokenizer
from trial import entry, fit, percent, tell

from textmill.text.subset import subset
from textmill.training.validation import epoch_scores

PRESET = "mr"
TRAIN, EPOCHS, SEEDS, DRAWS = 3000, 6, range(5), 1000
JUDGES = (200, 1066, 4000)  # documents that choose; 1,066 are the tenth that the notebook chose on
CANDIDATES = [{"dropout": 0.3}, {"dropout": 0.6}, {"dropout": 0.3, "hidden": 16, "embedding": 32}]


@contextmanager
def watched() -> Iterator[list[np.ndarray]]:
    """Which validation documents are right after each epoch that is trained inside: bool (N,) each."""
    right: list[np.ndarray] = []

    def keep(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, float]:
        right.append(probabilities.argmax(1) == labels)
        return epoch_scores(probabilities, labels)

    with patch("textmill.training.loop.epoch_scores", keep):
        yield right


def optimism(right: np.ndarray, judges: int, draws: int, rng: np.random.Generator) -> tuple[float, float]:
    """Mean score of the winner on the `judges` documents that chose it, and on the others.

    right: bool (K, N), candidates by documents. Among equals the first wins.
    """
    told, worth = [], []
    for _ in range(draws):
        order = rng.permutation(right.shape[1])
        chosen, others = right[:, order[:judges]], right[:, order[judges:]]
        winner = chosen.mean(1).argmax()
        told.append(chosen[winner].mean())
        worth.append(others[winner].mean())
    return float(np.mean(told)), float(np.mean(worth))


def main() -> None:
    docs, labels = documents(PRESET)
    found: dict[int, list[tuple[float, float]]] = {size: [] for size in JUDGES}
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        order = rng.permutation(len(docs))
        codec = tokenizer(docs[order[:TRAIN]]["text"], PRESET)
        whole = encode(docs, codec, labels)
        train, held = subset(whole, order[:TRAIN]), subset(whole, order[TRAIN:])
        with watched() as right:
            for one in CANDIDATES:
                chosen = entry(PRESET, "lstm", epochs=EPOCHS, schedule="constant", patience=None, **one)
                fit(chosen, train, held, codec.size, seed)
        for size in JUDGES:
            found[size].append(optimism(np.stack(right), size, DRAWS, rng))
    rows = []
    for size, scores in found.items():
        told, worth = np.array(scores).T
        columns = {"told": told, "worth": worth, "too good by": told - worth}
        rows.append({"chosen on": f"{size:,} sentences"} | {name: percent(values) for name, values in columns.items()})
    tell("choosing", f"MR, best of {len(CANDIDATES)} networks x {EPOCHS} epochs, {len(SEEDS)} seeds", rows)


if __name__ == "__main__":
    main()

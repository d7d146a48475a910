"""Mistakes: choosing on the test split, and reporting the best validation score as the result. Choosing the best of
several candidates also chooses the luckiest, so the winner's score is too high.

Run `python demos/choosing.py`. Sentence polarity (10,662 sentences), split again for every seed. The candidates are all
epochs of three LSTMs. From the sentences that trained none of them, some are drawn to choose by. The notebooks report
the winner's score on these. The true score is the one on all the others, as on a test split that chose nothing. Each
seed averages over many draws.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import numpy as np
from corpora import documents, encode, tokenizer
from trial import entry, fit, percent, report

from textmill.text.subset import subset
from textmill.training.validation import epoch_scores

PRESET = "mr"
TRAIN, EPOCHS, SEEDS, DRAWS = 3000, 6, range(5), 1000
JUDGES = (200, 1066, 4000)  # documents to choose by; 1,066 is the tenth that the notebook chose on
CANDIDATES = [{"dropout": 0.3}, {"dropout": 0.6}, {"dropout": 0.3, "hidden": 16, "embedding": 32}]


@contextmanager
def watched() -> Iterator[list[np.ndarray]]:
    """Yields a list that gets, after each epoch trained inside, which validation documents are correct: bool (N,)."""
    right: list[np.ndarray] = []

    def keep(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, float]:
        right.append(probabilities.argmax(1) == labels)
        return epoch_scores(probabilities, labels)

    with patch("textmill.training.loop.epoch_scores", keep):
        yield right


def optimism(right: np.ndarray, judges: int, draws: int, rng: np.random.Generator) -> tuple[float, float]:
    """Returns the winner's mean score on the `judges` documents that chose it, and on the others.

    right: bool (K, N), candidates by documents. Ties go to the first.
    """
    reported, true = [], []
    for _ in range(draws):
        order = rng.permutation(right.shape[1])
        chosen, others = right[:, order[:judges]], right[:, order[judges:]]
        winner = chosen.mean(1).argmax()
        reported.append(chosen[winner].mean())
        true.append(others[winner].mean())
    return float(np.mean(reported)), float(np.mean(true))


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
        reported, true = np.array(scores).T
        columns = {"reported": reported, "true": true, "too good by": reported - true}
        rows.append({"chosen on": f"{size:,} sentences"} | {name: percent(values) for name, values in columns.items()})
    report("choosing", f"MR, best of {len(CANDIDATES)} networks x {EPOCHS} epochs, {len(SEEDS)} seeds", rows)


if __name__ == "__main__":
    main()

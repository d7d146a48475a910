"""Small data: what `train.updates` gives the networks, against a linear model of the same rows.

Run: `make bench ONLY=small`, half an hour of one core. The models of params.yaml on 1,000 and 3,000 training documents,
an eighth as many to choose epochs by, and test documents that are the same for all. Each of three seeds draws other
documents and other weights. A row: accuracy on the test documents, with the rule (`ours`) and without.

Sets: the default one; sentences of MR; fortune cookies of up to 60 words by topic, six classes (Debian's package
`fortunes`; FORTUNES says where its files lie). The last rows are of the whole default set, split as the pipeline does.
"""

import json
import os
import sys
import time
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

for name in ("POLARS_MAX_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(name, "1")
sys.path.append(str(Path(__file__).parents[1] / "demos"))

import numpy as np
import polars as pl
import torch
from corpora import documents

from textmill import tokenizers
from textmill.config import PARAMS, load_params
from textmill.models import model_entry
from textmill.processes import keep_memory
from textmill.text.encoding import Encoded, encode
from textmill.training.task import Task

UPDATES = 600
SIZES, TEST = (1_000, 3_000), 2_000
SEEDS = (0, 1, 2)
TOPICS = ("computers", "definitions", "people", "politics", "science", "songs-poems")
LONGEST = 60  # words of a cookie


def cookies() -> pl.DataFrame:
    """`text` and `label` of the short fortune cookies."""
    folder = Path(os.environ.get("FORTUNES", "/usr/share/games/fortunes"))
    rows = [
        {"text": text.strip(), "label": topic}
        for topic in TOPICS
        for text in (folder / topic).read_text(encoding="utf-8", errors="replace").split("\n%\n")
        if 0 < len(text.split()) <= LONGEST
    ]
    return pl.DataFrame(rows)


def drawn(frame: pl.DataFrame, rows: int, seed: int) -> dict[str, pl.DataFrame]:
    """So many training documents, drawn by the seed; the test documents are always the same."""
    mixed = frame.sample(fraction=1, shuffle=True, seed=0)
    held = min(TEST, len(mixed) - max(SIZES) * 9 // 8)
    rest = mixed[held:].sample(fraction=1, shuffle=True, seed=seed + 1)
    return {"train": rest[:rows], "validation": rest[rows : rows * 9 // 8], "test": mixed[:held]}


def encoded(parts: dict[str, pl.DataFrame]) -> tuple[dict[str, Encoded], int]:
    """The splits in ids, and the size of the vocabulary, which comes from the training documents."""
    config = tokenizers.tokenizer_config(load_params(PARAMS)["tokenizers"]["word"], f"{PARAMS}: tokenizers.word")
    with TemporaryFile() as spill:
        tokenizer, _ = tokenizers.fit(lambda: [parts["train"]["text"]], config, spill, {})
    labels = sorted(parts["train"]["label"].unique())
    return {name: encode(part, tokenizer, labels) for name, part in parts.items()}, tokenizer.size


def trained(model: str, updates: int | None, splits: dict[str, Encoded], vocabulary: int, seed: int) -> dict[str, Any]:
    """One training and its scores."""
    params = load_params(PARAMS)
    train = params["train"] | {"updates": updates, "device": "cpu"}
    checked = model_entry(params["models"][model], train, str(PARAMS))
    task = Task(vocabulary, int(splits["train"].labels.max()) + 1, seed)
    start = time.process_time()
    with redirect_stdout(StringIO()):
        fitted = checked.family.fit(checked.config, checked.settings, splits["train"], splits["validation"], task)
    taken = time.process_time() - start
    right = fitted.model.predict_proba(splits["test"].docs).argmax(1) == splits["test"].labels
    return {
        "model": model,
        "updates": updates,
        "seed": seed,
        "accuracy": round(float(np.mean(right)), 4),
        "validation": round(fitted.history[fitted.best_epoch - 1]["validation_accuracy"], 4),
        "epochs": len(fitted.history),
        "best_epoch": fitted.best_epoch,
        "steps": sum(row["updates"] or 0 for row in fitted.history),
        "loss": fitted.history[-1]["train_loss"],
        "cpu_seconds": round(taken, 2),
    }


def main() -> None:
    keep_memory()
    torch.set_num_threads(1)
    out = open(sys.argv[1], "a")
    only = sys.argv[2:]
    sets = {"default": lambda: documents("rotten-tomatoes")[0], "mr": lambda: documents("mr")[0], "cookies": cookies}
    for name, read in sets.items():
        if only and name not in only:
            continue
        frame = read()
        for rows in SIZES:
            for seed in SEEDS:
                splits, vocabulary = encoded(drawn(frame, rows, seed))
                for model in load_params(PARAMS)["models"]:
                    for updates in (None,) if model == "linear" else (None, UPDATES):
                        row = {"set": name, "rows": rows, **trained(model, updates, splits, vocabulary, seed)}
                        print(json.dumps(row), file=out, flush=True)


if __name__ == "__main__":
    main()

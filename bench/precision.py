"""`precision: auto` against float32: the time it saves, and its accuracy compared to the noise of seeds.

Run: `make bench ONLY=precision`. Trains the LSTM and the Transformer of params.yaml for three epochs with each of three
seeds, on the same documents; the best epoch on validation predicts the test texts, always in float32. Each model has
two rows: CPU seconds of a training, and the percentage of test texts that are wrong, mean and standard deviation over
the seeds (`ratio`: errors in float32 divided by errors with auto).
"""

import os
import time
from contextlib import redirect_stdout
from io import StringIO
from tempfile import TemporaryFile
from typing import Any

import numpy as np
import polars as pl
import torch
from side_by_side import row, texts, write

from textmill import tokenizers
from textmill.config import PARAMS, load_params
from textmill.models import model_entry
from textmill.processes import keep_memory
from textmill.text.encoding import Encoded, encode
from textmill.training.task import Task

TRAIN, VALIDATION, TEST = 5_000, 1_000, 5_000  # documents at most
EPOCHS = 3
SEEDS = (0, 1, 2)


def data() -> tuple[dict[str, Encoded], int]:
    """Returns encoded train, validation and test texts, and the size of the vocabulary, which is learned from train."""
    frame = texts()
    # IMDB has no validation split
    held = frame[TRAIN:] if os.environ.get("TEXTMILL_HUB_MIRROR") else texts("validation")
    parts = {"train": frame[:TRAIN], "validation": held[:VALIDATION], "test": texts("test")[:TEST]}
    config = tokenizers.tokenizer_config(load_params(PARAMS)["tokenizers"]["word"], f"{PARAMS}: tokenizers.word")
    with TemporaryFile() as spill:
        tokenizer, _ = tokenizers.fit(lambda: [parts["train"]["text"]], config, spill, {})
    labels = sorted(pl.concat(parts.values())["label"].unique())
    return {name: encode(part, tokenizer, labels) for name, part in parts.items()}, tokenizer.size


def trained(
    model: str, precision: str, splits: dict[str, Encoded], vocabulary: int, seed: int
) -> tuple[float, float, str]:
    """Returns the CPU seconds of a training, the percentage of test texts that are then wrong, and the precision."""
    params = load_params(PARAMS)
    changes = {"precision": precision, "device": "cpu", "epochs": EPOCHS, "patience": None}
    checked = model_entry(params["models"][model] | changes, params["train"], str(PARAMS))
    task = Task(vocabulary, int(splits["train"].labels.max()) + 1, seed)
    start = time.process_time()
    with redirect_stdout(StringIO()):
        fitted = checked.family.fit(checked.config, checked.settings, splits["train"], splits["validation"], task)
    taken = time.process_time() - start
    found = fitted.model.predict_proba(splits["test"].docs).argmax(1)
    return taken, 100 * float(np.mean(found != splits["test"].labels)), fitted.precision


def rows(model: str, splits: dict[str, Encoded], vocabulary: int) -> list[dict[str, Any]]:
    """Returns a model's two rows."""
    seconds: dict[str, list[float]] = {"float32": [], "auto": []}
    wrong: dict[str, list[float]] = {"float32": [], "auto": []}
    for seed in SEEDS:
        for precision in seconds:
            taken, errors, found = trained(model, precision, splits, vocabulary, seed)
            seconds[precision].append(taken)
            wrong[precision].append(errors)
    noise = " and ".join(f"{np.std(wrong[precision], ddof=1):.2f}" for precision in ("auto", "float32"))
    spread = max(max(taken) / min(taken) for taken in seconds.values())
    return [
        row(f"{model}, auto ({found})", min(seconds["auto"]), min(seconds["float32"]), "cpu s", spread),
        row(f"{model}, wrong, +- {noise} over seeds", np.mean(wrong["auto"]), np.mean(wrong["float32"]), "%"),
    ]


def main() -> None:
    keep_memory()
    torch.set_num_threads(1)
    splits, vocabulary = data()
    write("precision", [line for model in ("lstm", "transformer") for line in rows(model, splits, vocabulary)])


if __name__ == "__main__":
    main()

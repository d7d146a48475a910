"""`precision: auto` against float32: what it saves, and that it costs no accuracy beyond the noise of seeds.

Run: `make bench ONLY=precision`. The LSTM and the Transformer of params.yaml, three seeds each, on the same documents;
the epoch that is best on validation predicts the test texts, in float32 either way. Two rows a model: CPU seconds of
the three trainings, and the mean share of test texts that are wrong, with the standard deviation over seeds in its
name; there, `ratio` says how many times more are wrong in float32.
"""

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
from textmill.encoding import Encoded, encode
from textmill.models import Task, arm
from textmill.processes import keep_memory

TRAIN, VALIDATION, TEST = 8_000, 2_000, 10_000  # documents at most
SEEDS = (0, 1, 2)


def data() -> tuple[dict[str, Encoded], int]:
    """Encoded texts to learn, choose and test with, and the size of the vocabulary, which comes from the first."""
    frame = texts()
    parts = {"train": frame[:TRAIN], "validation": frame[TRAIN : TRAIN + VALIDATION], "test": texts("test")[:TEST]}
    if not len(parts["validation"]):  # the default dataset has fewer to learn from, and a split of its own
        parts["validation"] = texts("validation")[:VALIDATION]
    config = tokenizers.tokenizer_config(load_params(PARAMS)["tokenizers"]["word"], f"{PARAMS}: tokenizers.word")
    with TemporaryFile() as spill:
        tokenizer, _ = tokenizers.fit(lambda: [parts["train"]["text"]], config, spill, {})
    labels = sorted(pl.concat(parts.values())["label"].unique())
    return {name: encode(part, tokenizer, labels) for name, part in parts.items()}, tokenizer.size


def trained(model: str, precision: str, splits: dict[str, Encoded], vocabulary: int, seed: int) -> tuple[float, float]:
    """CPU seconds of a training, and per cent of the test texts that are wrong after it."""
    params = load_params(PARAMS)
    checked = arm(params["models"][model] | {"precision": precision}, params["train"], "bench")
    start = time.process_time()
    with redirect_stdout(StringIO()):
        fitted = checked.family.fit(
            checked.config, checked.settings, splits["train"], splits["validation"], Task(vocabulary, 2, seed)
        )
    taken = time.process_time() - start
    found = fitted.model.predict_proba(splits["test"].docs).argmax(1)
    return taken, 100 * float(np.mean(found != splits["test"].labels))


def rows(model: str, splits: dict[str, Encoded], vocabulary: int) -> list[dict[str, Any]]:
    found: dict[str, list[tuple[float, float]]] = {"auto": [], "float32": []}
    for seed in SEEDS:
        for precision, outcomes in found.items():
            outcomes.append(trained(model, precision, splits, vocabulary, seed))
    seconds, wrong = (
        {name: [outcome[which] for outcome in outcomes] for name, outcomes in found.items()} for which in (0, 1)
    )
    noise = " and ".join(f"{np.std(errors, ddof=1):.1f}" for errors in wrong.values())
    return [
        row(f"{model}, auto, {len(SEEDS)} trainings", sum(seconds["auto"]), sum(seconds["float32"]), "cpu s"),
        row(f"{model}, wrong (over seeds +- {noise})", np.mean(wrong["auto"]), np.mean(wrong["float32"]), "%"),
    ]


def main() -> None:
    keep_memory()
    torch.set_num_threads(1)
    splits, vocabulary = data()
    write("precision", [line for model in ("lstm", "transformer") for line in rows(model, splits, vocabulary)])


if __name__ == "__main__":
    main()

"""Small data: networks with and without `train.updates`, and a linear model, on the same documents.

Run: `make bench ONLY=small`, half an hour on one core. Trains the models of params.yaml on 1,000 and 3,000 documents,
with an eighth as many for validation and 2,000 test documents that are always the same; each of three seeds draws
other training documents and other initial weights. First comes the whole default dataset, split by the pipeline.

Datasets: the default; the sentences of MR; fortune cookies of up to 60 words, by topic, six classes. MR comes from the
address in presets/mr.yaml; the cookies are in Debian's package `fortunes`, or in the folder named by FORTUNES. A
missing dataset is skipped. Rows have means over the seeds; accuracies are percentages.
"""

import os
import sys
import time
from collections.abc import Iterator
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
from side_by_side import write

from textmill import tokenizers
from textmill.config import PARAMS, load_params
from textmill.errors import TextmillError
from textmill.models import model_entry
from textmill.processes import keep_memory
from textmill.text.encoding import Encoded, encode
from textmill.training.task import Task

UPDATES = 1_200  # as in presets/csv.yaml
SIZES, TEST = (1_000, 3_000), 2_000
SEEDS = (0, 1, 2)
TOPICS = ("computers", "definitions", "people", "politics", "science", "songs-poems")
LONGEST = 60  # words in a cookie

Splits = dict[str, pl.DataFrame]


def cookies() -> pl.DataFrame:
    """Returns `text` and `label` of the short fortune cookies."""
    folder = Path(os.environ.get("FORTUNES", "/usr/share/games/fortunes"))
    rows = [
        {"text": text.strip(), "label": topic}
        for topic in TOPICS
        for text in (folder / topic).read_text(encoding="utf-8", errors="replace").split("\n%\n")
        if 0 < len(text.split()) <= LONGEST
    ]
    return pl.DataFrame(rows)


SETS = {"default": lambda: documents("rotten-tomatoes")[0], "mr": lambda: documents("mr")[0], "cookies": cookies}


def drawn(frame: pl.DataFrame, rows: int, seed: int) -> Splits:
    """Returns splits with `rows` training documents, drawn by the seed; the test documents are always the same."""
    mixed = frame.sample(fraction=1, shuffle=True, seed=0)
    held = min(TEST, len(mixed) - max(SIZES) * 9 // 8)
    rest = mixed[held:].sample(fraction=1, shuffle=True, seed=seed + 1)
    return {"train": rest[:rows], "validation": rest[rows : rows * 9 // 8], "test": mixed[:held]}


def encoded(parts: Splits) -> tuple[dict[str, Encoded], int]:
    """Returns the encoded splits and the size of the vocabulary, which is learned from the training documents."""
    config = tokenizers.tokenizer_config(load_params(PARAMS)["tokenizers"]["word"], f"{PARAMS}: tokenizers.word")
    with TemporaryFile() as spill:
        tokenizer, _ = tokenizers.fit(lambda: [parts["train"]["text"]], config, spill, {})
    labels = sorted(parts["train"]["label"].unique())
    return {name: encode(part, tokenizer, labels) for name, part in parts.items()}, tokenizer.size


def trained(model: str, updates: int | None, splits: dict[str, Encoded], vocabulary: int, seed: int) -> dict[str, Any]:
    """Trains once; returns the accuracy on test in %, the updates, the CPU seconds, and how much was learned."""
    params = load_params(PARAMS)
    checked = model_entry(params["models"][model], params["train"] | {"updates": updates, "device": "cpu"}, str(PARAMS))
    task = Task(vocabulary, int(splits["train"].labels.max()) + 1, seed)
    start = time.process_time()
    with redirect_stdout(StringIO()):
        fitted = checked.family.fit(checked.config, checked.settings, splits["train"], splits["validation"], task)
    taken = time.process_time() - start
    right = fitted.model.predict_proba(splits["test"].docs).argmax(1) == splits["test"].labels
    learning = fitted.learning
    return {
        "accuracy": 100 * float(np.mean(right)),
        "updates": learning.updates if learning else 0,
        "learned": learning.learned if learning else 1.0,
        "seconds": taken,
    }


def compared(title: str, each: list[Splits]) -> Iterator[dict[str, Any]]:
    """Yields a row for each network: with and without `updates`, and compared to the linear model."""
    runs = [(*encoded(parts), seed) for parts, seed in zip(each, SEEDS, strict=True)]
    names = list(load_params(PARAMS)["models"])
    linear = [trained("linear", None, *run)["accuracy"] for run in runs]
    for model in names:
        if model == "linear":
            continue
        ours, before = ([trained(model, updates, *run) for run in runs] for updates in (UPDATES, None))
        gaps = [base - one["accuracy"] for base, one in zip(linear, ours, strict=True)]
        row = {"case": f"{title}, {model}", "linear": np.mean(linear), "gap": np.mean(gaps), "worst gap": max(gaps)}
        for name, runs_of in (("before", before), ("ours", ours)):
            row |= {name: np.mean([one["accuracy"] for one in runs_of])}
            row |= {f"{name} sd": np.std([one["accuracy"] for one in runs_of], ddof=1)}
            row |= {
                f"{name} {key}": np.mean([one[key] for one in runs_of]) for key in ("updates", "learned", "seconds")
            }
        found = {key: value if key == "case" else round(float(value), 2) for key, value in row.items()}
        paired = [round(one["accuracy"] - other["accuracy"], 2) for one, other in zip(ours, before, strict=True)]
        print(
            f"{found['case']:34} {found['before']:5.1f} -> {found['ours']:5.1f} by {paired}, linear "
            f"{found['linear']:5.1f}, gap {found['gap']:4.1f} ({found['before seconds']:.1f} -> "
            f"{found['ours seconds']:.1f} cpu s)",
            flush=True,
        )
        yield found | {"ours - before": paired}


def main() -> None:
    keep_memory()
    torch.set_num_threads(1)
    whole = {name: pl.read_parquet(f"data/split/{name}.parquet") for name in ("train", "validation", "test")}
    rows = list(compared(f"default, {len(whole['train']):,}", [whole] * len(SEEDS)))
    write("small", rows)
    for name, read in SETS.items():
        try:
            frame = read()
        except (OSError, TextmillError) as error:
            print(f"{name}: skipped ({error})")
            continue
        for size in SIZES:
            rows += compared(f"{name}, {size:,}", [drawn(frame, size, seed) for seed in SEEDS])
            write("small", rows)


if __name__ == "__main__":
    main()

"""Training: the notebook's way (padded to the limit, dense loop) against `textmill.models`, on the same documents.

Both sides train one epoch on the same documents, truncated alike, with the same sizes, Adam, clipped gradients and 64
documents per update on average; ours puts long documents in smaller batches and short ones in larger. Our predictions
never depend on the other documents in the batch; the notebook reads the recurrent state after the padding. The
notebook's side uses float32 and the allocator's default behaviour; ours keeps freed memory. Denormal numbers count as 0
on both sides: gradients through padding are full of them, and some processors take many times as long for each.
Run: `make bench ONLY=training`, or `python bench/training.py bilstm --device cuda` for one case on a GPU.
"""

import argparse
from collections.abc import Callable
from functools import partial
from tempfile import TemporaryFile
from typing import Any

import notebook
import numpy as np
import torch
from side_by_side import side_by_side, texts, write
from torch import nn

from textmill.models import model_entry
from textmill.processes import keep_memory
from textmill.text.encoding import Encoded, encode
from textmill.text.ragged import Ragged
from textmill.tokenizers.word import WordConfig, WordTokenizer
from textmill.training.devices import no_bfloat16
from textmill.training.loop import train
from textmill.training.task import Task

PATTERN = r"[\p{L}\p{M}\p{N}]+(?:'[\p{L}\p{M}\p{N}]+)*|[!?]"
CONFIG = WordConfig(kind="word", lowercase=True, markup="strip", pattern=PATTERN, min_freq=2, max_size=30_000)
ONE_WAY = {"tokenizer": "word", "embedding": 128, "hidden": 128, "layers": 1, "bidirectional": False}
ENDS = {"vectors": "none", "max_norm": None, "bigrams": 0, "locked": True, "head": [], "pretrain": None}
ONE_WAY |= {"pooling": "last", "dropout": 0.3, "max_len": 300, "start": "orthogonal", **ENDS}
CASES: dict[str, dict[str, Any]] = {
    "bilstm": {"family": "lstm", **ONE_WAY, "layers": 2, "bidirectional": True, "forget_bias": 1.0},
    "lstm": {"family": "lstm", **ONE_WAY, "forget_bias": 1.0},
    "gru": {"family": "gru", **ONE_WAY},
    "rnn": {"family": "rnn", **ONE_WAY},
    "transformer": {
        "family": "transformer",
        "tokenizer": "word",
        "width": 128,
        "layers": 2,
        "heads": 4,
        "feedforward": 512,
        "positions": "learned",
        "pooling": "mean",
        "dropout": 0.1,
        "max_len": 200,
        **ENDS,
    },
}
TRAIN: dict[str, Any] = {
    "seeds": [0],
    "epochs": 1,
    "batch_tokens": 4096,
    "batch_documents": None,
    "accumulate": 1,
    "max_len": 300,
    "cut": "tail",
    "loss": "cross_entropy",
    "class_weights": "none",
    "label_smoothing": 0.0,
    "adversarial": None,
    "ema": None,
    "optimizer": "adam",
    "lr": 1e-3,
    "weight_decay": 0.0,
    "schedule": "constant",
    "warmup": 0.0,
    "clip": 1.0,
    "monitor": "loss",
    "patience": None,
    "precision": "float32",
    "device": "cpu",
}
PEAKS = {"H100": 989.0, "H200": 989.0, "A100": 312.0, "L4": 121.0}  # dense bfloat16 TFLOPS, as stated by NVIDIA


def sample(documents: int) -> tuple[Encoded, int]:
    """Returns so many encoded training texts, and the size of the vocabulary of all texts."""
    frame = texts()
    with TemporaryFile() as spill:
        tokenizer, _ = WordTokenizer.fit(lambda: [frame["text"]], CONFIG, spill, {})
    return encode(frame[:documents], tokenizer, sorted(frame["label"].unique())), tokenizer.size


def entry(case: str, docs: Ragged, **changes: Any) -> dict[str, Any]:
    """Returns an entry of `models:` with batches of 64 documents on average."""
    lengths = np.minimum(docs.lengths, CASES[case]["max_len"])
    return {**CASES[case], "batch_tokens": int(notebook.BATCH * lengths.mean() * 1.04), **changes}


def reference(case: str, vocabulary: int) -> nn.Module:
    """Returns the notebook's network for a case."""
    sizes = CASES[case]
    if case == "transformer":
        return notebook.TransformerNotebook(vocabulary, sizes["max_len"])
    cell = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}[sizes["family"]]
    return notebook.RecurrentNotebook(cell, vocabulary, sizes["layers"], sizes["bidirectional"])


def ours(case: str, precision: str, data: Encoded, vocabulary: int, device: str) -> Callable[[], None]:
    """Returns a function that trains one epoch with the real loop; the validation split is one document."""
    checked = model_entry(entry(case, data.docs, precision=precision, device=device), TRAIN, "bench")
    network = checked.family.build(checked.config, checked.settings, Task(vocabulary, 2, 0)).to(device)
    one = Encoded(Ragged(data.docs.ids[: data.docs.offsets[1]], data.docs.offsets[:2]), data.labels[:1])

    def epoch() -> None:
        keep_memory()  # as the stage does
        train(network, data, one, checked.settings, 0, None)

    return epoch


def precisions(case: str, network: nn.Module, training: bool) -> list[str]:
    """Returns the precisions in which to time `network`: bfloat16 only if its device supports it."""
    reason = no_bfloat16(network, training)
    if reason:
        print(f"{case}, bfloat16: skipped, {reason}", flush=True)
    return ["float32"] if reason else ["float32", "bfloat16"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", default=list(CASES))
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--documents", type=int, default=32 * notebook.BATCH)
    given = parser.parse_args()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    data, vocabulary = sample(given.documents)
    labels = torch.tensor(data.labels, device=given.device)
    rows = []
    for case in given.cases:
        ids = notebook.pad(data.docs, CASES[case]["max_len"]).to(given.device)
        network = reference(case, vocabulary).to(given.device)
        theirs = partial(notebook.as_started, notebook.train, network, ids, labels)
        epochs = {
            f"{case}, {precision}, {given.documents:,} documents": ours(case, precision, data, vocabulary, given.device)
            for precision in precisions(case, network, training=True)
        }
        for row in side_by_side(epochs, theirs):
            rows.append(row if given.device == "cpu" else row | peak_share(case, data.docs, row["ours"]))
    write("training", rows)


def peak_share(case: str, docs: Ragged, seconds: float) -> dict[str, float]:
    """Returns TFLOPS for real (unpadded) ids, at 6 FLOPs per weight outside the embedding, and their share of peak."""
    checked = model_entry(entry(case, docs), TRAIN, "bench")
    network = checked.family.build(checked.config, checked.settings, Task(3, 2, 0))
    weights = sum(weight.numel() for name, weight in network.named_parameters() if "embed" not in name)
    tflops = 6 * weights * float(np.minimum(docs.lengths, CASES[case]["max_len"]).sum()) / seconds / 1e12
    name = torch.cuda.get_device_name()
    peak = next((tflops for gpu, tflops in PEAKS.items() if gpu in name), float("nan"))
    return {"tflops": round(tflops, 3), "share_of_bfloat16_peak": round(tflops / peak, 4)}


if __name__ == "__main__":
    main()

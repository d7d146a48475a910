"""The project's own parts that are measured, imported here alone, and what the measurements share."""

from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from training import CASES, TRAIN, peak_share

from textmill import tokenizers
from textmill.arrays import read_arrays, write_arrays
from textmill.errors import ParamsError, ResourceError
from textmill.explain.gradients import gradients
from textmill.files import sha256
from textmill.models import model_entry
from textmill.processes import keep_memory
from textmill.text import encoding
from textmill.text.encoding import Encoded
from textmill.text.ragged import Ragged
from textmill.training import checkpoint, distributed
from textmill.training.batching import Loader, batches
from textmill.training.devices import find_device
from textmill.training.loop import learning
from textmill.training.neural import Neural
from textmill.training.task import Fitted, Task
from textmill.training.updates import Updates

__all__ = [
    "CASES",
    "Data",
    "Encoded",
    "Fitted",
    "Loader",
    "Neural",
    "ParamsError",
    "Ragged",
    "ResourceError",
    "Task",
    "Updates",
    "batches",
    "checkpoint",
    "distributed",
    "ends",
    "explained",
    "find_device",
    "first",
    "fit",
    "keep_memory",
    "learning",
    "peak_share",
    "read_arrays",
    "selected",
    "settled",
    "synchronized",
    "write_arrays",
]


FEW, SHORT = 64, 30  # documents of the rehearsal, and ids of each


@dataclass(frozen=True)
class Data:
    """IMDB as `pack.py` left it, and where to measure: reviews to learn from, others, ids below `vocabulary`."""

    train: Encoded
    test: Encoded
    vocabulary: int
    device: str

    @classmethod
    def read(cls, folder: Path, device: str) -> "Data":
        """On a CPU, which is the rehearsal, the ends of a few. Raises ArtifactError if a file is missing or damaged."""
        made_by = sha256(folder / "tokenizer.json")
        train, test = (encoding.load(folder / f"{name}.safetensors", made_by) for name in ("train", "test"))
        if device == "cpu":
            torch.set_num_threads(1)
            train, test = (Encoded(ends(first(part, FEW).docs, SHORT), part.labels[:FEW]) for part in (train, test))
        return cls(train, test, tokenizers.load(folder / "tokenizer.json").size, device)


def settled(case: str, device: str, **changes: Any) -> Any:
    """The entry of a case as the project checks it: config and settings."""
    return model_entry({**CASES[case], "device": device, **changes}, TRAIN, "bench")


def fit(
    case: str, data: Data, documents: int, held: int, folder: Path | None = None, seed: int = 0, **changes: Any
) -> Fitted:
    """A case trained on the first documents and validated on the first ones held out; nothing of it is printed."""
    checked = settled(case, data.device, **changes)
    train, validation = first(data.train, documents), first(data.test, held)
    task = Task(data.vocabulary, 2, seed, corpus=train.docs)
    with redirect_stdout(StringIO()):
        return checked.family.fit(checked.config, checked.settings, train, validation, task, folder)


def first(data: Encoded, documents: int) -> Encoded:
    """The first documents, in memory."""
    ends = data.docs.offsets[: documents + 1].copy()
    return Encoded(Ragged(data.docs.ids[: ends[-1]].copy(), ends), data.labels[:documents].copy())


def ends(docs: Ragged, most: int) -> Ragged:
    """The last ids of each document."""
    kept = np.minimum(docs.lengths, most)
    return Ragged.of(docs.ids[np.arange(len(docs.ids)) >= np.repeat(docs.offsets[1:] - kept, docs.lengths)], kept)


def selected(docs: Ragged, rows: list[int]) -> Ragged:
    """Some documents, in the order of `rows`."""
    import numpy as np

    return Ragged(np.concatenate([docs[row] for row in rows]), np.cumsum([0, *(len(docs[row]) for row in rows)]))


def explained(model: Neural, ids: np.ndarray) -> tuple[np.ndarray, float]:
    """What each id adds to the log-odds of the second class, and those of nothing."""
    return gradients(model, ids, 1)


def synchronized(device: str) -> None:
    """Wait until the GPU is done."""
    if device != "cpu":
        torch.cuda.synchronize()

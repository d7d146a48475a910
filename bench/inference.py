"""Inference: the notebook's way (batches of 64, padded to the limit) against `textmill.models`, on the same documents.

Both sides compute class probabilities of encoded documents, with networks of the same sizes. Their weights are new,
which does not affect the time. Ours uses batches of 8,192 ids from documents of similar length, and a document's
scores do not depend on its batch. bfloat16 is `textmill.load(path, precision="bfloat16")`; the notebook uses float32.
Run: `make bench ONLY=inference`.
"""

import argparse
from functools import partial

import notebook
import torch
from side_by_side import side_by_side, write
from training import CASES, TRAIN, entry, precisions, reference, sample

from textmill.models import model_entry
from textmill.networks.layers import Network
from textmill.processes import keep_memory
from textmill.text.ragged import Ragged
from textmill.training.loop import predict
from textmill.training.settings import TrainConfig
from textmill.training.task import Task


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", default=list(CASES))
    parser.add_argument("--documents", type=int, default=64 * notebook.BATCH)
    given = parser.parse_args()
    torch.set_num_threads(1)
    data, vocabulary = sample(given.documents)
    rows = []
    for case in given.cases:
        checked = model_entry(entry(case, data.docs, batch_tokens=8192), TRAIN, "bench")
        network = checked.family.build(checked.config, checked.settings, Task(vocabulary, 2, 0))
        ids = notebook.pad(data.docs, CASES[case]["max_len"])
        theirs = partial(notebook.as_started, notebook.predict, reference(case, vocabulary), ids)
        passes = {
            f"{case}, {precision}, {given.documents:,} documents": partial(
                ours, network, data.docs, checked.settings, precision
            )
            for precision in precisions(case, network, training=False)
        }
        rows += side_by_side(passes, theirs)
    write("inference", rows)


def ours(network: Network, docs: Ragged, settings: TrainConfig, precision: str) -> None:
    """Computes the class probabilities of all documents."""
    keep_memory()  # as the stage does
    predict(network, docs, settings, precision)


if __name__ == "__main__":
    main()

"""Inference: the notebook's way (batches of 64 padded to the limit) against `textmill.models`, same documents.

Both sides give the class probabilities of encoded documents, with networks of the same sizes and fresh weights: the
work does not depend on them. Ours are batches of 8,192 ids of like length, and a document's scores are the same
whatever stands beside it. bfloat16 is what `textmill.load(path, precision="bfloat16")` asks for; the notebook's side is
float32. Run: `make bench ONLY=inference`.
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
    """Class probabilities of all documents."""
    keep_memory()  # as the stage does
    predict(network, docs, settings, precision)


if __name__ == "__main__":
    main()

"""Inference: the notebook's way (batches of 64 padded to the limit) against `textmill.models`, same documents.

Both sides give the class probabilities of encoded documents, with networks of the same sizes and fresh weights: the
work does not depend on them. Ours are batches of 4,096 ids of like length, and a document's scores are the same
whatever stands beside it. bfloat16 is what `textmill.load(path, precision="bfloat16")` asks for; the notebook's side is
float32.  Run: `make bench ONLY=inference`.
"""

import argparse
from functools import partial

import notebook
import torch
from side_by_side import side_by_side, write
from torch import nn
from training import CASES, TRAIN, entry, reference, sample

from textmill.models import Task, arm
from textmill.models.neural import build
from textmill.models.settings import TrainConfig
from textmill.models.training import predict
from textmill.processes import keep_memory


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", default=list(CASES))
    parser.add_argument("--documents", type=int, default=32 * notebook.BATCH)
    given = parser.parse_args()
    torch.set_num_threads(1)
    data, vocabulary = sample(given.documents)
    rows = []
    for case in given.cases:
        checked = arm(entry(case, data.docs, batch_tokens=4096), TRAIN, "bench")
        network = build(checked.config, checked.settings, Task(vocabulary, 2, 0))
        ids = notebook.pad(data.docs, CASES[case]["max_len"])
        theirs = partial(notebook.as_started, notebook.predict, reference(case, vocabulary), ids)
        for precision in ("float32", "bfloat16"):

            def ours(
                precision: str = precision, network: nn.Module = network, settings: TrainConfig = checked.settings
            ):
                keep_memory()  # as the stage does
                return predict(network, data.docs, settings, precision)

            rows.append(side_by_side(f"{case}, {precision}, {given.documents:,} documents", ours, theirs))
    write("inference", rows)


if __name__ == "__main__":
    main()

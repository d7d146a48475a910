"""Training over several processes (ranks) started by torchrun. Without torchrun these functions do nothing.

Batches are the same as with one process. Each rank takes its share of a batch's rows, and gradients are summed, so
every rank makes the same update, that of the whole batch.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count

import numpy as np
import torch
from torch import Tensor, distributed, nn

from textmill.errors import ArtifactError

PATIENCE = timedelta(minutes=10)  # a rank that waits longer for the others fails
GROUPS = count()  # a process may train several models in turn


@contextmanager
def group(device: torch.device) -> Iterator[None]:
    """Connects the ranks, over NCCL for GPUs or gloo for CPUs, until the block ends."""
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        yield
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    store, rank, size = next(distributed.rendezvous("env://", timeout=PATIENCE))
    store = distributed.PrefixStore(f"group{next(GROUPS)}", store)  # it still has addresses of an earlier group
    backend = "nccl" if device.type == "cuda" else "gloo"
    distributed.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=PATIENCE)
    try:
        yield
    finally:
        distributed.destroy_process_group()


def rank() -> int:
    """Returns the number of this process. Rank 0 writes the files."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def size() -> int:
    """Returns the number of processes."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def share(rows: np.ndarray) -> np.ndarray:
    """Returns this rank's rows of a batch, possibly none."""
    return rows[rank() :: size()]


def sum_gradients(network: nn.Module, loss: Tensor) -> Tensor:
    """Replaces the gradients in `network` by their sum over all ranks and returns the sum of the losses."""
    if size() == 1:
        return loss
    weights = [weight for weight in network.parameters() if weight.requires_grad]
    gradients: list[Tensor] = []
    for weight in weights:
        if weight.grad is None:  # this rank has no rows
            weight.grad = torch.zeros_like(weight)
        gradients.append(weight.grad)
    flat = torch.cat([loss.detach().view(1), *(gradient.flatten() for gradient in gradients)])  # in one message
    distributed.all_reduce(flat)
    for gradient, part in zip(gradients, flat[1:].split([one.numel() for one in gradients]), strict=True):
        gradient.copy_(part.view_as(gradient))
    return flat[0]


def sum_scores(scores: np.ndarray) -> np.ndarray:
    """Returns the scores of all ranks, added up; each has zeros where the others have scores."""
    if size() == 1:
        return scores
    flat = torch.from_numpy(scores).to("cuda" if distributed.get_backend() == "nccl" else "cpu")
    distributed.all_reduce(flat)
    return flat.cpu().numpy()


def agree(epochs: int) -> None:
    """Raises ArtifactError if the ranks would not resume after the same epoch."""
    if size() > 1:
        found: list[int | None] = [None] * size()
        distributed.all_gather_object(found, epochs)
        if len(set(found)) > 1:
            raise ArtifactError(
                f"data/checkpoints, data/pretrained: the ranks found {found} epochs; share both folders, or delete them"
            )

"""One training run over several processes, which torchrun starts: without it, nothing here does anything.

The batches are those of one process. Of each, a rank takes its share of the rows, and gradients are added up: the
update is that of the whole batch, on every rank the same.
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

PATIENCE = timedelta(minutes=10)  # a rank that waits longer for the others ends
GROUPS = count()  # a process may train several models, one after the other


@contextmanager
def group(device: torch.device) -> Iterator[None]:
    """Ranks that work together on GPUs (NCCL) or CPUs (gloo), until the block ends."""
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        yield
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    store, rank, size = next(distributed.rendezvous("env://", timeout=PATIENCE))
    store = distributed.PrefixStore(f"group{next(GROUPS)}", store)  # addresses of an earlier group are left in it
    backend = "nccl" if device.type == "cuda" else "gloo"
    distributed.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=PATIENCE)
    try:
        yield
    finally:
        distributed.destroy_process_group()


def rank() -> int:
    """Number of this process: 0 is the one that writes."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def size() -> int:
    """How many processes there are."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def share(rows: np.ndarray) -> np.ndarray:
    """This rank's rows of a batch; maybe none."""
    return rows[rank() :: size()]


def total(network: nn.Module, loss: Tensor) -> Tensor:
    """Put the sum of all ranks' gradients into `network`, and give the sum of their losses."""
    if size() == 1:
        return loss
    weights = [weight for weight in network.parameters() if weight.requires_grad]
    gradients: list[Tensor] = []
    for weight in weights:
        if weight.grad is None:  # of a rank without rows
            weight.grad = torch.zeros_like(weight)
        gradients.append(weight.grad)
    flat = torch.cat([loss.detach().view(1), *(gradient.flatten() for gradient in gradients)])  # one message
    distributed.all_reduce(flat)
    for gradient, part in zip(gradients, flat[1:].split([one.numel() for one in gradients]), strict=True):
        gradient.copy_(part.view_as(gradient))
    return flat[0]


def gathered(scores: np.ndarray) -> np.ndarray:
    """Scores of all ranks; each has zeros where the others have theirs."""
    if size() == 1:
        return scores
    flat = torch.from_numpy(scores).to("cuda" if distributed.get_backend() == "nccl" else "cpu")
    distributed.all_reduce(flat)
    return flat.cpu().numpy()


def agree(epochs: int) -> None:
    """Raise ArtifactError if the ranks do not go on after the same epoch."""
    if size() > 1:
        found: list[int | None] = [None] * size()
        distributed.all_gather_object(found, epochs)
        if len(set(found)) > 1:
            raise ArtifactError(
                f"data/checkpoints, data/pretrained: the ranks found {found} epochs; share both, or delete them"
            )

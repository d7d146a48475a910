"""Memory: what training needs at least, what there is, and the error when it runs out."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim import SGD, Optimizer

from textmill.errors import ResourceError
from textmill.networks.layers import Network
from textmill.refusals import is_memory

CGROUP = Path("/sys/fs/cgroup")  # of a container, which sees its own group there


@contextmanager
def enough(device: torch.device, ids: Tensor | None = None) -> Iterator[None]:
    """Raises ResourceError if memory runs out in the block, with the size of the batch, ids (B, T), if given.

    A ResourceError of a nested block passes unchanged.
    """
    try:
        yield
    except RuntimeError as error:
        if not is_memory(error):
            raise
        free = _free(device) / 1e9
        what, remedy = "the weights and the ids of all documents", "choose smaller sizes, or device: cpu"
        if ids is not None:
            what = f"a batch of {ids.shape[0]} documents, the longest of {ids.shape[1]} ids"
            remedy = "lower batch_tokens or max_len"
        raise ResourceError(f"no memory left on {device} for {what} ({free:.1f} GB free); {remedy}") from error


def check(network: nn.Module, tuner: Optimizer) -> None:
    """Raises ResourceError if weights, gradients and optimizer alone exceed the memory that there is in all.

    Neither activations nor other processes count, so that nothing is refused that could work.
    """
    needed, there = at_rest(network, tuner), total(next(network.parameters()).device)
    if needed > there:
        name, largest = max(network.named_parameters(), key=lambda one: one[1].nbytes)
        sizes = " x ".join(map(str, largest.shape))
        raise ResourceError(
            f"training needs {needed / 1e9:,.2f} GB for weights, gradients and optimizer alone, but there are "
            f"{there / 1e9:,.2f} GB; the largest weight is {name} ({sizes}): lower the model's sizes, or its "
            "tokenizer's max_size"
        )


def check_batch(network: Network, tuner: Optimizer, rows: int, steps: int) -> None:
    """Raises ResourceError if the embedded ids of a batch, (rows, steps), do not fit next to what `check` counts."""
    device = next(network.parameters()).device
    training = network.training
    network.eval()  # draws nothing at random
    with torch.no_grad():
        embedded = network.embed(torch.ones((1, 1), dtype=torch.int64, device=device)).nbytes * rows * steps
    network.train(training)
    if (needed := at_rest(network, tuner) + embedded) > (there := total(device)):
        raise ResourceError(
            f"a batch of {rows:,} documents, the longest of {steps:,} ids, needs {embedded / 1e9:,.2f} GB for its "
            f"embedded ids alone, {needed / 1e9:,.2f} GB with the weights, but there are {there / 1e9:,.2f} GB; lower "
            "batch_tokens or max_len"
        )


def at_rest(network: nn.Module, tuner: Optimizer) -> int:
    """Returns the bytes of weights, gradients and the optimizer's moments."""
    weights = list(network.parameters())
    learned = sum(weight.nbytes for weight in weights if weight.requires_grad)
    moments = 1 if isinstance(tuner, SGD) else 2  # momentum; or Adam's and Adadelta's means
    return sum(weight.nbytes for weight in weights) + learned * (1 + moments)


def _free(device: torch.device) -> int:
    """Returns the bytes that no process has, of a GPU or of the machine."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    import psutil

    return psutil.virtual_memory().available


def total(device: torch.device) -> int:
    """Returns the bytes that a process may have: of a GPU, or of machine and swap, its container and its limit."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[1]
    import psutil

    swap = psutil.swap_memory().total
    return min(psutil.virtual_memory().total + swap, _limit(), _container(CGROUP, swap))


def _limit() -> int:
    """Returns the limit of this process's address space (`ulimit -v`)."""
    with suppress(ImportError):  # Windows has none
        import resource

        if (limit := resource.getrlimit(resource.RLIMIT_AS)[0]) != resource.RLIM_INFINITY:
            return limit
    return sys.maxsize


def _container(group: Path, swap: int) -> int:
    """Returns the limit of a control group, with the swap that it may use.

    group: its folder in version 2 of the interface; swap: bytes of the machine's.
    """
    with suppress(OSError, ValueError):  # ValueError: max, which is no limit
        limit, allowed = int((group / "memory.max").read_text()), swap
        with suppress(OSError, ValueError):
            allowed = min(swap, int((group / "memory.swap.max").read_text()))
        return limit + allowed
    return sys.maxsize

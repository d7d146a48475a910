"""Errors for a GPU that runs out of memory."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from textmill.errors import ResourceError


@contextmanager
def enough(device: torch.device, ids: Tensor | None = None) -> Iterator[None]:
    """Raises ResourceError if a GPU runs out of memory in the block, with the size of the batch, ids (B, T), if given.

    A ResourceError of a nested block passes unchanged.
    """
    try:
        yield
    except torch.OutOfMemoryError as error:
        free = torch.cuda.mem_get_info(device)[0] / 2**30 if device.type == "cuda" else 0.0
        what, remedy = "the weights and the ids of all documents", "choose smaller sizes, or device: cpu"
        if ids is not None:
            what = f"a batch of {ids.shape[0]} documents, the longest of {ids.shape[1]} ids"
            remedy = "lower batch_tokens or max_len"
        raise ResourceError(f"no memory left on {device} for {what} ({free:.1f} GiB free); {remedy}") from error

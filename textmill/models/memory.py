"""Memory on the training step's way: kept where the next step needs it again, named where there is not enough."""

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from textmill.errors import ResourceError

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # of malloc.h


def keep() -> None:
    """Let this process keep what it frees (glibc; elsewhere nothing happens).

    Otherwise every large tensor is mapped, filled with zeros page by page and unmapped again, which took a third of
    a BiLSTM's step. The price: memory once used is not given back before the process ends.
    """
    if sys.platform == "linux" and (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)):
        mallopt(M_MMAP_MAX, 0)
        mallopt(M_TRIM_THRESHOLD, -1)


@contextmanager
def enough(ids: Tensor) -> Iterator[None]:
    """Raise ResourceError with the batch's size, ids (B, T), where a GPU's memory ends."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        free = torch.cuda.mem_get_info(ids.device)[0] / 2**30 if ids.is_cuda else 0.0
        raise ResourceError(
            f"no memory left on {ids.device} for a batch of {ids.shape[0]} documents, the longest of {ids.shape[1]} "
            f"ids ({free:.1f} GiB free); lower batch_tokens or max_len"
        ) from error

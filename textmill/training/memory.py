"""A GPU whose memory ends."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from textmill.errors import ResourceError


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

"""Batches of documents of similar length, padded to little more than the longest."""

import warnings

import numpy as np
import torch
from torch import Tensor

from textmill.text.ragged import PAD, Ragged

JITTER = 0.05  # random change of lengths before sorting, so that batches differ by epoch but need little padding
# Batch lengths are rounded up to this many significant binary digits (351 steps become 352). oneDNN keeps a kernel for
# each shape: a Transformer in bfloat16 took 2.1 GB after an epoch of IMDB, and 3.9 GB without rounding.
DIGITS = 5


def batches(
    lengths: np.ndarray, batch_tokens: int, most: int | None = None, rng: np.random.Generator | None = None
) -> list[np.ndarray]:
    """Returns the row numbers of each batch: at least one, rows x longest <= `batch_tokens`, rows <= `most`.

    lengths: int (N,). With `rng`, batches and their order are random; without it, the shortest come first.
    """
    most = most or len(lengths)
    keys = lengths if rng is None else lengths * rng.uniform(1 - JITTER, 1 + JITTER, len(lengths))
    order = np.argsort(keys, kind="stable")
    cuts, first, longest = [], 0, 0
    for position, length in enumerate(lengths[order].tolist()):
        longest = max(longest, length)
        rows = position + 1 - first
        if rows > 1 and (rows * longest > batch_tokens or rows > most):
            cuts.append(position)
            first, longest = position, length
    parts = np.split(order, cuts)
    if rng is not None:
        rng.shuffle(parts := list(parts))
    return parts


class Loader:
    """Documents truncated to `max_len` ids, as padded batches.

    A longer document keeps its first ids ('head'), its last ('tail'), or half from each end ('head+tail'). Batches are
    gathered from the flat ids, which may be a memory-mapped file on a CPU; a GPU holds them all.
    """

    def __init__(self, docs: Ragged, max_len: int | None, cut: str, device: torch.device):
        self.device = device
        with warnings.catch_warnings(action="ignore"):  # torch warns that the array is read-only; nothing writes to it
            self.ids = torch.from_numpy(docs.ids).to(device)  # int32 (all ids,)
        whole = docs.lengths
        kept = whole if max_len is None else np.minimum(whole, max_len)  # (N,)
        unit = 1 << np.maximum(np.frexp(kept)[1] - DIGITS, 0)
        padded = -(-kept // unit) * unit
        self.steps = padded if max_len is None else np.minimum(padded, max_len)  # (N,): padded length of each row
        head = {"head": kept, "tail": np.zeros_like(kept), "head+tail": (kept + 1) // 2}[cut]
        # For each row: where it begins, how many ids it keeps, how many of these come before the gap, the gap's size.
        self.rows = torch.from_numpy(np.stack([docs.offsets[:-1], kept, head, whole - kept])).to(device)  # (4, N)

    def batch(self, rows: np.ndarray) -> tuple[Tensor, Tensor]:
        """Returns ids (B, T), padded with PAD to the largest of the rows' `steps`, and lengths (B,); both int64."""
        start, lengths, head, skipped = self.rows[:, torch.from_numpy(rows).to(self.device), None]  # each (B, 1)
        step = torch.arange(int(self.steps[rows].max()), device=self.device)  # (T,)
        mask = step < lengths  # (B, T)
        position = torch.where(mask, start + step + skipped * (step >= head), 0)
        return self.ids[position].long().masked_fill(~mask, PAD), lengths[:, 0]

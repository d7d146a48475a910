"""Batches of documents of like length, trimmed to little more than their longest."""

import warnings

import numpy as np
import torch
from torch import Tensor

from textmill.text.ragged import PAD, Ragged

JITTER = 0.05  # how far lengths are shaken before sorting: neighbours change every epoch, padding stays small
# Batches are as long as a number of so many binary digits, the rest zeros (351 steps become 352). oneDNN keeps a kernel
# for every shape it meets: a Transformer in bfloat16 took 2.1 GB after an epoch of IMDB, 3.9 GB with every length.
DIGITS = 5


def batches(
    lengths: np.ndarray, batch_tokens: int, most: int | None = None, rng: np.random.Generator | None = None
) -> list[np.ndarray]:
    """Row numbers of each batch: rows x longest <= `batch_tokens` (one row at least), and rows <= `most`.

    lengths: int (N,). With `rng` the batches and their order are random; without it, shortest first.
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
    """Documents of at most `max_len` ids, given out as padded batches.

    A longer one keeps the first ids ('head'), the last ('tail'), or half from each end ('head+tail'). Each batch is
    gathered from the flat ids as they are: on a CPU they may be a file mapped into memory; a GPU holds them whole.
    """

    def __init__(self, docs: Ragged, max_len: int | None, cut: str, device: torch.device):
        self.device = device
        with warnings.catch_warnings(action="ignore"):  # torch warns of arrays that cannot be written; none is
            self.ids = torch.from_numpy(docs.ids).to(device)  # int32 (all ids,)
        whole = docs.lengths
        kept = whole if max_len is None else np.minimum(whole, max_len)  # (N,)
        unit = 1 << np.maximum(np.frexp(kept)[1] - DIGITS, 0)
        padded = -(-kept // unit) * unit
        self.steps = padded if max_len is None else np.minimum(padded, max_len)  # (N,): what a row takes in a batch
        head = {"head": kept, "tail": np.zeros_like(kept), "head+tail": (kept + 1) // 2}[cut]
        # Each row: where it begins, how many ids it keeps, before which one some are skipped, and how many.
        self.rows = torch.from_numpy(np.stack([docs.offsets[:-1], kept, head, whole - kept])).to(device)  # (4, N)

    def batch(self, rows: np.ndarray) -> tuple[Tensor, Tensor]:
        """Ids (B, T) padded with PAD, T the most `steps` of a row, and lengths (B,); both int64."""
        start, lengths, head, skipped = self.rows[:, torch.from_numpy(rows).to(self.device), None]  # each (B, 1)
        step = torch.arange(int(self.steps[rows].max()), device=self.device)  # (T,)
        inside = step < lengths  # (B, T)
        position = torch.where(inside, start + step + skipped * (step >= head), 0)
        return self.ids[position].long().masked_fill(~inside, PAD), lengths[:, 0]

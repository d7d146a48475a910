"""Batches of documents of like length, trimmed to their longest."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from textmill.ragged import PAD, Ragged

JITTER = 0.1  # how far lengths are shaken before sorting: neighbours change every epoch, padding stays small


def cut(docs: Ragged, max_len: int | None, how: str) -> Ragged:
    """Documents of at most `max_len` ids: the first ('head'), the last ('tail'), or half from each end."""
    lengths = docs.lengths
    if max_len is None or lengths.max(initial=0) <= max_len:
        return docs
    kept = np.minimum(lengths, max_len)
    head = {"head": kept, "tail": np.zeros_like(kept), "head+tail": (kept + 1) // 2}[how]
    step = np.arange(kept.sum()) - np.repeat(np.cumsum(kept) - kept, kept)  # position in the shortened document
    skipped = np.repeat(lengths - kept, kept) * (step >= np.repeat(head, kept))
    return docs.take(np.repeat(docs.offsets[:-1], kept) + step + skipped, kept)


def batches(lengths: np.ndarray, batch_tokens: int, rng: np.random.Generator | None = None) -> list[np.ndarray]:
    """Row numbers of each batch: rows x longest <= `batch_tokens` (one row at least).

    lengths: int (N,). With `rng` the batches and their order are random; without it, shortest first.
    """
    keys = lengths if rng is None else lengths * rng.uniform(1 - JITTER, 1 + JITTER, len(lengths))
    order = np.argsort(keys, kind="stable")
    cuts, first, longest = [], 0, 0
    for position, length in enumerate(lengths[order].tolist()):
        longest = max(longest, length)
        if position > first and (position + 1 - first) * longest > batch_tokens:
            cuts.append(position)
            first, longest = position, length
    parts = np.split(order, cuts)
    if rng is not None:
        rng.shuffle(parts := list(parts))
    return parts


class Loader:
    """Documents that live on one device, given out as padded batches."""

    def __init__(self, docs: Ragged, device: torch.device):
        self.lengths = docs.lengths
        self.ids = torch.from_numpy(docs.ids).to(device)
        self.offsets = torch.from_numpy(docs.offsets).to(device)
        self.device = device

    def batch(self, rows: np.ndarray) -> tuple[Tensor, Tensor]:
        """Ids (B, T) padded with PAD, T the longest row, and lengths (B,); both int64."""
        picked = torch.from_numpy(rows).to(self.device)
        start = self.offsets[picked]  # (B,)
        lengths = self.offsets[picked + 1] - start  # (B,)
        step = torch.arange(int(self.lengths[rows].max()), device=self.device)  # (T,)
        inside = step < lengths[:, None]  # (B, T)
        position = torch.where(inside, start[:, None] + step, 0)
        return self.ids[position].long().masked_fill(~inside, PAD), lengths

    def __call__(self, parts: list[np.ndarray]) -> Iterator[tuple[np.ndarray, Tensor, Tensor]]:
        """Rows, ids and lengths of each batch."""
        for rows in parts:
            yield rows, *self.batch(rows)

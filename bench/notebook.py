"""Training as in a course notebook: all texts padded to the limit, one dense loop, torch's layers and default Adam."""

import ctypes
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from textmill.processes import M_MMAP_MAX, M_TRIM_THRESHOLD
from textmill.text.ragged import Ragged

BATCH = 64
M_MMAP_THRESHOLD = -3  # from malloc.h


class RecurrentNotebook(nn.Module):
    """Embedding, nn.RNN, nn.GRU or nn.LSTM over the padded texts, a classifier on the last states."""

    def __init__(self, cell: type[nn.RNNBase], vocabulary: int, layers: int, bidirectional: bool):
        super().__init__()
        self.embed = nn.Embedding(vocabulary, 128, padding_idx=0)
        self.dropout = nn.Dropout(0.3)
        self.layers = cell(
            128, 128, layers, batch_first=True, bidirectional=bidirectional, dropout=0.3 if layers > 1 else 0.0
        )
        self.classify = nn.Linear(256 if bidirectional else 128, 2)

    def forward(self, ids: Tensor) -> Tensor:
        """ids (B, T) -> logits (B, 2)"""
        _, last = self.layers(self.dropout(self.embed(ids)))
        last = last[0] if isinstance(last, tuple) else last  # (layers x directions, B, H)
        states = torch.cat([last[-2], last[-1]], 1) if self.layers.bidirectional else last[-1]
        return self.classify(self.dropout(states))


class TransformerNotebook(nn.Module):
    """Embedding with learned positions, nn.TransformerEncoder with a padding mask, the mean over the text."""

    def __init__(self, vocabulary: int, steps: int):
        super().__init__()
        self.embed = nn.Embedding(vocabulary, 128, padding_idx=0)
        self.positions = nn.Parameter(torch.randn(steps, 128) * 0.02)
        layer = nn.TransformerEncoderLayer(128, 4, 512, dropout=0.1, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2)
        self.classify = nn.Linear(128, 2)

    def forward(self, ids: Tensor) -> Tensor:
        """ids (B, T) -> logits (B, 2)"""
        padding = ids == 0
        states = self.encoder(self.embed(ids) + self.positions[: ids.shape[1]], src_key_padding_mask=padding)
        text = (~padding)[..., None].float()
        return self.classify((states * text).sum(1) / text.sum(1))


def pad(docs: Ragged, steps: int) -> Tensor:
    """Returns the ids of the last `steps` words of each document, padded with zeros: int64 (N, steps)."""
    out = torch.zeros(len(docs), steps, dtype=torch.int64)
    for row in range(len(docs)):
        ids = torch.from_numpy(docs[row][-steps:].copy())
        out[row, : len(ids)] = ids
    return out


def train(network: nn.Module, ids: Tensor, labels: Tensor) -> None:
    """Trains for one epoch."""
    network.train()
    tuner = torch.optim.Adam(network.parameters())
    measure, total = nn.CrossEntropyLoss(), 0.0
    for rows in _shuffled(len(ids)):
        tuner.zero_grad()
        loss = measure(network(ids[rows]), labels[rows])
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        tuner.step()
        total += loss.item()


def predict(network: nn.Module, ids: Tensor) -> Tensor:
    """Returns class probabilities (N, 2)."""
    network.eval()
    with torch.no_grad():
        return torch.cat([network(rows).softmax(1) for rows in ids.split(BATCH)])


def as_started(work: Callable[..., Any], *rest: Any) -> None:
    """Runs `work` with the allocator's default behaviour; our stages make it keep memory.

    glibc raises its thresholds to these values as large blocks are freed (mallopt(3)).
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", lambda *_: None)
    mallopt(M_MMAP_MAX, 65536)
    mallopt(M_MMAP_THRESHOLD, 32 << 20)
    mallopt(M_TRIM_THRESHOLD, 64 << 20)
    work(*rest)


def _shuffled(rows: int) -> Iterator[Tensor]:
    yield from torch.randperm(rows).split(BATCH)

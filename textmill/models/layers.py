"""What recurrent networks and Transformers share: masks and pooling, both from lengths alone."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from textmill.ragged import PAD


def inside(lengths: Tensor, steps: int) -> Tensor:
    """Where a padded batch holds text: bool (B, T) from lengths (B,)."""
    return torch.arange(steps, device=lengths.device) < lengths[:, None]


def pooled_mean(states: Tensor, lengths: Tensor) -> Tensor:
    """Mean over a document's own steps: (B, T, H) -> (B, H)."""
    text = inside(lengths, states.shape[1])[..., None]
    return states.masked_fill(~text, 0).sum(1) / lengths[:, None].to(states.dtype)


def pooled_max(states: Tensor, lengths: Tensor) -> Tensor:
    """Maximum over a document's own steps: (B, T, H) -> (B, H)."""
    text = inside(lengths, states.shape[1])[..., None]
    return states.masked_fill(~text, torch.finfo(states.dtype).min).amax(1)


def state_at(states: Tensor, steps: Tensor) -> Tensor:
    """The state of each row at its own step: (B, T, H), (B,) -> (B, H)."""
    return states[torch.arange(len(states), device=states.device), steps]


class AttentionPool(nn.Module):
    """A learned weighted mean over a document's own steps (Yang et al. 2016, without the context's tanh layer)."""

    def __init__(self, width: int):
        super().__init__()
        self.score = nn.Linear(width, 1, bias=False)

    def forward(self, states: Tensor, lengths: Tensor) -> Tensor:
        """(B, T, H) -> (B, H)"""
        scores = self.score(states)[..., 0].float()  # (B, T)
        weights = scores.masked_fill(~inside(lengths, states.shape[1]), -torch.inf).softmax(1)
        return torch.einsum("bt,bth->bh", weights.to(states.dtype), states)


class Pool(nn.Module):
    """One vector a document: 'mean', 'max', 'attention' or a network's own way, or several with + side by side."""

    def __init__(self, how: str, width: int, own: dict[str, Callable[[Tensor, Tensor], Tensor]]):
        super().__init__()
        self.attention = AttentionPool(width) if "attention" in how else None
        ways = {"mean": pooled_mean, "max": pooled_max, "attention": self.attention, **own}
        self.ways = [ways[way] for way in how.split("+")]
        self.width = width * len(self.ways)

    def forward(self, states: Tensor, lengths: Tensor) -> Tensor:
        """(B, T, H) -> (B, width)"""
        return torch.cat([way(states, lengths) for way in self.ways], 1)


class LockedDropout(nn.Module):
    """Dropout with one mask for all steps of a document (Gal & Ghahramani 2016).

    Pooling over time would average an independent mask at every step away.
    """

    def __init__(self, share: float):
        super().__init__()
        self.share = share

    def forward(self, states: Tensor) -> Tensor:
        """(B, T, H) -> (B, T, H)"""
        if not self.training or not self.share:
            return states
        kept = torch.empty_like(states[:, :1]).bernoulli_(1 - self.share)  # (B, 1, H)
        return states * kept.div_(1 - self.share)


def embedding(vocabulary: int, width: int) -> nn.Embedding:
    """Vectors of unit expected norm; PAD is zero and stays so."""
    table = nn.Embedding(vocabulary, width, padding_idx=PAD)
    nn.init.normal_(table.weight, std=width**-0.5)
    with torch.no_grad():
        table.weight[PAD].zero_()
    return table

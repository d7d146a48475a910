"""The parts that networks share: masks of the padding and pooling, both made from lengths; dropout; hidden layers."""

from collections.abc import Callable
from itertools import pairwise
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn


def text_mask(lengths: Tensor, steps: int) -> Tensor:
    """Returns where a padded batch contains text: bool (B, T) from lengths (B,)."""
    return torch.arange(steps, device=lengths.device) < lengths[:, None]


def pooled_mean(states: Tensor, lengths: Tensor) -> Tensor:
    """Returns the mean over each document's steps, without padding: (B, T, H) -> (B, H)."""
    text = text_mask(lengths, states.shape[1])[..., None]
    return states.masked_fill(~text, 0).sum(1) / lengths[:, None].to(states.dtype)


def pooled_max(states: Tensor, lengths: Tensor) -> Tensor:
    """Returns the maximum over each document's steps, without padding: (B, T, H) -> (B, H)."""
    text = text_mask(lengths, states.shape[1])[..., None]
    return states.masked_fill(~text, torch.finfo(states.dtype).min).amax(1)


def state_at(states: Tensor, steps: Tensor) -> Tensor:
    """Returns each document's state at the given step: (B, T, H), (B,) -> (B, H)."""
    return states[torch.arange(len(states), device=states.device), steps]


class AttentionPool(nn.Module):
    """A learned weighted mean over each document's steps (Yang et al. 2016, without their tanh layer)."""

    def __init__(self, width: int):
        super().__init__()
        self.score = nn.Linear(width, 1, bias=False)

    def forward(self, states: Tensor, lengths: Tensor) -> Tensor:
        """(B, T, H) -> (B, H)"""
        scores = self.score(states)[..., 0].float()  # (B, T)
        weights = scores.masked_fill(~text_mask(lengths, states.shape[1]), -torch.inf).softmax(1)
        return torch.einsum("bt,bth->bh", weights.to(states.dtype), states)


class Pool(nn.Module):
    """Pooling to one vector per document: 'mean', 'max', 'attention', one of `own`, or several joined by +."""

    def __init__(self, how: str, width: int, own: dict[str, Callable[[Tensor, Tensor], Tensor]]):
        super().__init__()
        self.attention = AttentionPool(width) if "attention" in how else None
        ways: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"mean": pooled_mean, "max": pooled_max, **own}
        if self.attention is not None:
            ways["attention"] = self.attention
        self.ways = [ways[way] for way in how.split("+")]
        self.width = width * len(self.ways)

    def forward(self, states: Tensor, lengths: Tensor) -> Tensor:
        """(B, T, H) -> (B, width)"""
        return torch.cat([way(states, lengths) for way in self.ways], 1)


class LockedDropout(nn.Module):
    """Dropout with one mask for all steps of a document (Gal & Ghahramani 2016).

    Pooling over time would average out independent masks at each step.
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


def sequence_dropout(share: float, locked: bool) -> nn.Module:
    """Returns dropout for (B, T, H), with one mask per document if locked, else one per step."""
    return LockedDropout(share) if locked else nn.Dropout(share)


def hidden_layers(width: int, sizes: list[int], dropout: float) -> nn.Sequential:
    """Returns dropout and dense layers with dropout after each: (B, width) -> (B, last of `sizes`, or width)."""
    layers: list[nn.Module] = [nn.Dropout(dropout)]
    for before, size in pairwise([width, *sizes]):
        layers += [nn.Linear(before, size), nn.ReLU(), nn.Dropout(dropout)]
    return nn.Sequential(*layers)


class Network(nn.Module):
    """The interface between networks and the training loop.

    embed: ids (B, T) -> (B, T, E); adversarial training perturbs its result. classify: the last layer.
    BFLOAT16_PAYS: the device types on which training is faster in bfloat16. On a CPU, 1.1x to 1.8x was measured;
    GRU and RNN, which have no fused kernel, have 0.85x to 1.2x. On a GPU, recurrent layers always use float32.
    OBJECTIVE: what a language model predicts in pretraining. BODY: prefixes of the names of the weights that
    pretraining trains, up to states of `width` numbers.
    """

    BFLOAT16_PAYS: ClassVar[frozenset[str]] = frozenset()
    OBJECTIVE: ClassVar[Literal["next", "masked"] | None] = None
    BODY: ClassVar[tuple[str, ...]] = ()

    embed: Callable[[Tensor], Tensor]
    classify: nn.Linear
    width: int

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """ids (B, T), lengths (B,) -> logits (B, outputs)"""
        return self.read(self.embed(ids), lengths)

    def read(self, embedded: Tensor, lengths: Tensor) -> Tensor:
        """embedded (B, T, E), lengths (B,) -> logits (B, outputs)"""
        raise NotImplementedError

    def states(self, embedded: Tensor, lengths: Tensor) -> Tensor:
        """embedded (B, T, E), lengths (B,) -> states (B, T, W), where OBJECTIVE is "masked"."""
        raise NotImplementedError

    def directions(self, embedded: Tensor, lengths: Tensor, layers: int) -> list[Tensor]:
        """Returns the states after `layers` layers, (B, T, W) for each direction, where OBJECTIVE is "next"."""
        raise NotImplementedError

    def scale(self, name: str) -> float:
        """Returns the factor on the learning rate of the weight with this name."""
        return 1.0

"""What recurrent networks and Transformers share: masks and pooling, both from lengths alone, dropout and the end."""

from collections.abc import Callable
from itertools import pairwise
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn


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


def over_time(share: float, locked: bool) -> nn.Module:
    """Dropout of (B, T, H): one mask a document, or one a step."""
    return LockedDropout(share) if locked else nn.Dropout(share)


def hidden_layers(width: int, sizes: list[int], dropout: float) -> nn.Sequential:
    """(B, width) -> (B, the last of `sizes`, or `width`): dropout, then dense layers with dropout after each."""
    layers: list[nn.Module] = [nn.Dropout(dropout)]
    for before, size in pairwise([width, *sizes]):
        layers += [nn.Linear(before, size), nn.ReLU(), nn.Dropout(dropout)]
    return nn.Sequential(*layers)


class Network(nn.Module):
    """What the training loop needs of a network.

    embed: ids (B, T) -> (B, T, E), where adversarial training moves a text. classify: the last layer.
    BFLOAT16_PAYS: the types of device that train it sooner in bfloat16: on a CPU 1.1x to 1.8x measured; GRU and RNN,
    which have no fused kernel, have 0.85x to 1.2x. On a GPU recurrent layers are float32 whatever is asked for.
    OBJECTIVE: what a language model guesses that pretrains it; BODY: how the names of the weights begin that this
    trains, below what is built on them, to states of `width` numbers.
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
        """The states of so many layers, (B, T, W) for each direction, where OBJECTIVE is "next"."""
        raise NotImplementedError

    def scale(self, name: str) -> float:
        """Share of the learning rate that the weight of this name learns with."""
        return 1.0

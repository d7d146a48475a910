"""Losses, optimizers and learning rates by name."""

import math
from collections.abc import Callable, Iterable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import SGD, Adadelta, Adam, AdamW, Optimizer

from textmill.models.settings import TrainConfig

OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {
    "adam": lambda weights, **kwargs: Adam(weights, fused=True, **kwargs),
    "adamw": lambda weights, **kwargs: AdamW(weights, fused=True, **kwargs),
    "adadelta": Adadelta,
    "sgd": lambda weights, **kwargs: SGD(weights, momentum=0.9, fused=True, **kwargs),
}


def optimizer(weights: Iterable[nn.Parameter], settings: TrainConfig) -> Optimizer:
    """The optimizer that `settings` names."""
    return OPTIMIZERS[settings.optimizer](weights, lr=settings.lr, weight_decay=settings.weight_decay)


def rate(settings: TrainConfig, done: float, stale: int) -> float:
    """Learning rate after a share `done` (0..1) of all steps; `stale` epochs so far were no new best."""
    if done < settings.warmup:
        return settings.lr * done / settings.warmup
    rest = (done - settings.warmup) / (1 - settings.warmup)
    factors = {
        "constant": 1.0,
        "linear": 1 - rest,
        "cosine": (1 + math.cos(math.pi * rest)) / 2,
        "plateau": 0.5**stale,
    }
    return settings.lr * factors[settings.schedule]


def loss_function(
    settings: TrainConfig, labels: np.ndarray, classes: int
) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    """Loss of logits (B, outputs) against class numbers (B,), their part in the mean over a batch's class numbers.

    The third argument is the batch, (B,) or longer where other processes have the rest of it: the parts add up to the
    mean. `labels`: int (N,) of the training split.

    Balanced weights are N / (C x count): each class weighs the same in sum.
    """
    counts = np.bincount(labels, minlength=classes)
    balance = torch.tensor(len(labels) / (classes * counts), dtype=torch.float32)  # (C,)
    weights = balance if settings.class_weights == "balanced" else None
    if settings.loss == "cross_entropy":

        def cross_entropy(logits: Tensor, target: Tensor, batch: Tensor) -> Tensor:
            weight = _on(weights, logits)
            whole = len(batch) if weight is None else weight[batch].sum()
            return F.cross_entropy(logits, target, weight, reduction="sum") / whole

        return cross_entropy

    def bce(logits: Tensor, target: Tensor, batch: Tensor) -> Tensor:
        weight = None if weights is None else _on(weights, logits)[target]
        loss = F.binary_cross_entropy_with_logits(logits[:, 0], target.to(logits.dtype), weight, reduction="sum")
        return loss / len(batch)

    return bce


def probabilities(logits: Tensor) -> Tensor:
    """Class probabilities (B, C) in float32 from logits (B, C), or (B, 1) where one logit means the second class."""
    logits = logits.float()
    if logits.shape[1] == 1:
        second = logits.sigmoid()
        return torch.cat([1 - second, second], 1)
    return logits.softmax(1)


def _on(weights: Tensor | None, logits: Tensor) -> Tensor | None:
    return None if weights is None else weights.to(logits.device)

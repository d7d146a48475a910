"""Losses, optimizers and learning rates by name."""

import math
from collections.abc import Callable
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import SGD, Adadelta, Adam, AdamW, Optimizer
from torch.optim.swa_utils import AveragedModel

from textmill.networks.embedding import Input
from textmill.networks.layers import Network
from textmill.training.settings import TrainConfig

Tensors = tuple[Tensor, ...] | list[Tensor]


class Measure(Protocol):
    """A loss, as `loss_function` gives it."""

    def __call__(self, logits: Tensor, target: Tensor, documents: int) -> Tensor:
        """Logits (B, outputs), class numbers (B,) and documents of the whole batch -> their part in its mean."""


OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {
    "adam": lambda weights, **kwargs: Adam(weights, fused=True, **kwargs),
    "adamw": lambda weights, **kwargs: AdamW(weights, fused=True, **kwargs),
    # As Zeiler (2012) has it: torch's own rho, 0.9, forgets in half as many steps.
    "adadelta": lambda weights, **kwargs: Adadelta(weights, rho=0.95, **kwargs),
    "sgd": lambda weights, **kwargs: SGD(weights, momentum=0.9, fused=True, **kwargs),
}


def optimizer(network: nn.Module, settings: TrainConfig) -> Optimizer:
    """The optimizer that `settings` names, of the weights that are not frozen; vectors keep their `max_norm`.

    Weights that learn with the same `scale` of the learning rate are one of its groups.
    """
    groups: dict[float, list[nn.Parameter]] = {}
    for name, weight in network.named_parameters():
        if weight.requires_grad:
            groups.setdefault(network.scale(name) if isinstance(network, Network) else 1.0, []).append(weight)
    scaled = [{"params": weights, "scale": scale} for scale, weights in groups.items()]
    tuner = OPTIMIZERS[settings.optimizer](scaled, lr=settings.lr, weight_decay=settings.weight_decay)
    for part in network.modules():
        if isinstance(part, Input) and part.weight.requires_grad:
            tuner.register_step_post_hook(lambda *_, part=part: part.bound())
    return tuner


def moving_average(network: nn.Module, keep: float) -> AveragedModel:
    """A copy of `network` that takes a share 1 - `keep` of its weights at each `update_parameters(network)`.

    Early on the share is larger, 9 / (10 + updates), so that the first weights do not stay (as in TensorFlow).
    """

    def mix(averages: Tensors, weights: Tensors, updates: Tensor | int) -> None:
        done = int(updates)
        torch._foreach_lerp_(averages, weights, 1 - min(keep, (1 + done) / (10 + done)))

    return AveragedModel(network, multi_avg_fn=mix)


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


def loss_function(settings: TrainConfig, labels: np.ndarray, classes: int) -> Measure:
    """Loss of logits (B, outputs) against class numbers (B,), their part in the mean over a batch's documents.

    The third argument is how many documents the batch has, B or more where other processes have the rest of it: the
    parts add up to the mean. `labels`: int (N,) of the training split.

    Balanced weights are N / (C x count), 1 in the mean over all documents. A mean is over documents in both losses,
    and not over weights, so that each class weighs the same in the sum of an epoch, whatever batches its documents are
    in. With label smoothing a share of each target is spread evenly over all classes.
    """
    smoothing = settings.label_smoothing
    counts = np.bincount(labels, minlength=classes)
    balance = torch.tensor(len(labels) / (classes * counts), dtype=torch.float32)  # (C,)
    weights = balance if settings.class_weights == "balanced" else None

    def cross_entropy(logits: Tensor, target: Tensor, reduction: str) -> Tensor:
        return F.cross_entropy(logits, target, reduction=reduction, label_smoothing=smoothing)

    def bce(logits: Tensor, target: Tensor, reduction: str) -> Tensor:
        share = target.to(logits.dtype) * (1 - smoothing) + smoothing / 2  # of the second class
        return F.binary_cross_entropy_with_logits(logits[:, 0], share, reduction=reduction)

    loss = {"cross_entropy": cross_entropy, "bce": bce}[settings.loss]

    def measure(logits: Tensor, target: Tensor, documents: int) -> Tensor:
        if weights is None:
            return loss(logits, target, "sum") / documents
        return (weights.to(logits.device)[target] * loss(logits, target, "none")).sum() / documents

    return measure


def learned(loss: float, settings: TrainConfig, labels: np.ndarray) -> float:
    """How far a mean training loss is from that of always guessing the classes' shares, 0, to that of knowing, 1.

    labels: int (N,), all of which `loss_function` would be given. Both ends are entropies of what its targets are in
    the mean: with smoothing even who knows all is surprised a little. Below 0 it is worse than a guess.
    """
    counts = np.bincount(labels)
    shares = np.full(len(counts), 1 / len(counts)) if settings.class_weights == "balanced" else counts / len(labels)
    guessing, knowing = (_entropy(each, settings.label_smoothing) for each in (shares, np.eye(len(counts))[0]))
    return (guessing - loss) / (guessing - knowing)


def _entropy(shares: np.ndarray, smoothing: float) -> float:
    """In nats, of shares (C,) after a part of them is spread over all classes."""
    spread = (1 - smoothing) * shares + smoothing / len(shares)
    return -float(spread @ np.log(np.where(spread > 0, spread, 1)))


def probabilities(logits: Tensor) -> Tensor:
    """Class probabilities (B, C) in float32 from logits (B, C), or (B, 1) where one logit means the second class."""
    logits = logits.float()
    if logits.shape[1] == 1:
        return torch.cat([-logits, logits], 1).sigmoid()  # 1 - sigmoid would be 0 from a logit of 17 on
    return logits.softmax(1)

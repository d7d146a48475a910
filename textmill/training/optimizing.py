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


class LossFunction(Protocol):
    """A loss, as `loss_function` returns it."""

    def __call__(self, logits: Tensor, target: Tensor, documents: int) -> Tensor:
        """logits (B, outputs), class numbers (B,), size of the whole batch -> their share of its mean loss"""


OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {
    "adam": lambda weights, **kwargs: Adam(weights, fused=True, **kwargs),
    "adamw": lambda weights, **kwargs: AdamW(weights, fused=True, **kwargs),
    # rho as in Zeiler (2012); torch's default, 0.9, forgets in half as many steps.
    "adadelta": lambda weights, **kwargs: Adadelta(weights, rho=0.95, **kwargs),
    "sgd": lambda weights, **kwargs: SGD(weights, momentum=0.9, fused=True, **kwargs),
}


def optimizer(network: nn.Module, settings: TrainConfig) -> Optimizer:
    """Returns the optimizer that `settings` names, for all weights that are not frozen; it also applies `max_norm`.

    Weights with the same factor on the learning rate, their `scale`, form a parameter group.
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
    """Returns a copy of `network` that takes a share 1 - `keep` of its weights at each `update_parameters(network)`.

    At first the share is larger, 9 / (10 + updates), so that the initial weights are soon forgotten (as in TensorFlow).
    """

    def mix(averages: Tensors, weights: Tensors, updates: Tensor | int) -> None:
        done = int(updates)
        torch._foreach_lerp_(averages, weights, 1 - min(keep, (1 + done) / (10 + done)))

    return AveragedModel(network, multi_avg_fn=mix)


def learning_rate(settings: TrainConfig, done: float, stale: int) -> float:
    """Returns the learning rate after a share `done` (0..1) of all steps and `stale` epochs without a new best."""
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


def loss_function(settings: TrainConfig, labels: np.ndarray, classes: int) -> LossFunction:
    """Returns the loss: logits (B, outputs) and class numbers (B,) -> their share of the mean over a batch.

    labels: int (N,) of the training split. The loss's third argument is the number of documents in the batch, which is
    more than B if other processes have the rest of it; the shares add up to the mean.

    Balanced weights are N / (C x count), whose mean over all documents is 1. Means are over documents, not over
    weights, so that each class counts the same in an epoch's sum, whatever batches its documents are in. With label
    smoothing, a share of each target is spread evenly over all classes.
    """
    smoothing = settings.label_smoothing
    counts = np.bincount(labels, minlength=classes)
    balance = torch.tensor(len(labels) / (classes * counts), dtype=torch.float32)  # (C,)
    weights = balance if settings.class_weights == "balanced" else None

    def cross_entropy(logits: Tensor, target: Tensor, reduction: str) -> Tensor:
        return F.cross_entropy(logits, target, reduction=reduction, label_smoothing=smoothing)

    def bce(logits: Tensor, target: Tensor, reduction: str) -> Tensor:
        share = target.to(logits.dtype) * (1 - smoothing) + smoothing / 2  # the second class's share
        return F.binary_cross_entropy_with_logits(logits[:, 0], share, reduction=reduction)

    loss = {"cross_entropy": cross_entropy, "bce": bce}[settings.loss]

    def measure(logits: Tensor, target: Tensor, documents: int) -> Tensor:
        if weights is None:
            return loss(logits, target, "sum") / documents
        return (weights.to(logits.device)[target] * loss(logits, target, "none")).sum() / documents

    return measure


def share_learned(loss: float, settings: TrainConfig, labels: np.ndarray) -> float:
    """Returns where a mean training loss is between guessing by the classes' shares (0) and knowing each label (1).

    labels: int (N,), those of the training split. Both ends are entropies of the targets; with smoothing, the loss of
    a perfect model is above 0. A negative result is worse than guessing.
    """
    counts = np.bincount(labels)
    shares = np.full(len(counts), 1 / len(counts)) if settings.class_weights == "balanced" else counts / len(labels)
    guessing, knowing = (_entropy(each, settings.label_smoothing) for each in (shares, np.eye(len(counts))[0]))
    return (guessing - loss) / (guessing - knowing)


def _entropy(shares: np.ndarray, smoothing: float) -> float:
    """Returns the entropy, in nats, of class shares (C,) after label smoothing."""
    spread = (1 - smoothing) * shares + smoothing / len(shares)
    return -float(spread @ np.log(np.where(spread > 0, spread, 1)))


def probabilities(logits: Tensor) -> Tensor:
    """Returns class probabilities, float32 (B, C), from logits (B, C), or (B, 1) for the second of two classes."""
    logits = logits.float()
    if logits.shape[1] == 1:
        return torch.cat([-logits, logits], 1).sigmoid()  # 1 - sigmoid is 0 for logits above 17
    return logits.softmax(1)

"""One update of a network's weights after the other."""

import math
from collections.abc import Sequence
from functools import partial

import numpy as np
import torch
from torch import nn

from textmill.errors import DivergedError
from textmill.models import distributed, gradients, memory
from textmill.models.batching import Loader
from textmill.models.devices import rounding
from textmill.models.layers import Network
from textmill.models.optimizing import loss_function, moving_average, optimizer
from textmill.models.settings import TrainConfig


class Updates:
    """Loss, gradient, clipping, optimizer and moving average, as `settings` has them.

    labels: int (N,), of the loader's documents.
    """

    def __init__(self, network: Network, loader: Loader, labels: np.ndarray, settings: TrainConfig):
        self.network, self.loader, self.clip = network, loader, settings.clip
        self.targets = torch.tensor(labels, device=loader.device)
        self.measure = loss_function(settings, labels, int(labels.max()) + 1)
        self.tuner = optimizer(network, settings)
        self.average = None if settings.ema is None else moving_average(network, settings.ema)
        self.autocast = rounding(loader.device, settings.precision)
        self.descend = gradients.plain
        if settings.adversarial is not None:
            self.descend = partial(gradients.adversarial, length=settings.adversarial)

    def step(self, group: Sequence[np.ndarray], lr: float, where: str) -> float:
        """Learn from batches of row numbers by one update; the sum of their documents' losses before it.

        Raises DivergedError, with `where`, if the loss is not finite, and ResourceError where a GPU's memory ends.
        """
        for weights in self.tuner.param_groups:
            weights["lr"] = lr * weights["scale"]
        self.tuner.zero_grad()
        loss, whole = torch.zeros((), device=self.loader.device), self.targets[np.concatenate(group)]
        for batch in group:
            if len(rows := distributed.share(batch)):
                ids, lengths = self.loader.batch(rows)
                part = partial(self.measure, target=self.targets[rows], batch=whole)
                with memory.enough(ids):
                    loss += self.descend(self.network, ids, lengths, part, self.autocast)
        loss = distributed.total(self.network, loss)
        if not math.isfinite(value := loss.item()):
            raise DivergedError(f"{where}: the loss is {value}; lower lr, or set clip")
        if self.clip:
            nn.utils.clip_grad_norm_(self.network.parameters(), self.clip)
        self.tuner.step()
        if self.average is not None:
            self.average.update_parameters(self.network)
        return value * len(whole)

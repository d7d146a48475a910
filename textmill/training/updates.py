"""Updates of a network's weights."""

import math
from collections.abc import Callable

from torch import Tensor, nn

from textmill.errors import DivergedError
from textmill.training import distributed, memory
from textmill.training.optimizing import moving_average, optimizer
from textmill.training.settings import TrainConfig


class Updates:
    """Clipping, optimizer and moving average, as `settings` says.

    average: the network with averaged weights, which predicts; None if the last weights do.
    """

    def __init__(self, weights: nn.Module, settings: TrainConfig):
        self.weights, self.clip = weights, settings.clip
        self.tuner = optimizer(weights, settings)
        memory.check(weights, self.tuner)
        self.average = None if settings.ema is None else moving_average(weights, settings.ema)

    def step(self, gradients: Callable[[], Tensor], lr: float, where: str) -> float:
        """Updates the weights by the gradients that `gradients()` computes, and returns the loss that it returns.

        Under torchrun, the gradients and losses of all ranks are added up.
        Raises DivergedError with `where` if the loss is not finite.
        """
        for group in self.tuner.param_groups:
            group["lr"] = lr * group["scale"]
        self.tuner.zero_grad()
        loss = distributed.sum_gradients(self.weights, gradients())
        if not math.isfinite(value := loss.item()):
            raise DivergedError(f"{where}: the loss is {value}; lower lr, or set clip")
        if self.clip:
            nn.utils.clip_grad_norm_(self.weights.parameters(), self.clip)
        self.tuner.step()
        if self.average is not None:
            self.average.update_parameters(self.weights)
        return value

"""Families of networks: each is a network and its config, trained by one loop."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from textmill.networks.config import NetworkConfig
from textmill.text.encoding import Encoded
from textmill.training.settings import Reading, TrainConfig, overridden
from textmill.training.task import Family, Fitted, Reads, Task

if TYPE_CHECKING:
    from textmill.networks.layers import Network
    from textmill.training.neural import Neural


class NetworkFamily(Family):
    """A family whose models are networks of one class, made from a config of one class.

    torch is imported when there is a network to make: an entry of params is checked without it.
    """

    config: type[NetworkConfig]
    settings = TrainConfig

    def __init__(self, config: type[NetworkConfig], network: Callable[[Any, int, int, int | None], "Network"]):
        """network: a class, or a function that makes one, of a config, numbers of ids and of outputs, and max_len."""
        self.config, self.network = config, network

    def check(self, entry: Mapping[str, Any], train: Mapping[str, Any], where: str) -> tuple[Any, TrainConfig]:
        """An entry against the network's config and the training settings, and both against each other."""
        config, settings = overridden(entry, train, self.config, where)
        config.check_length(settings.max_len, where)
        return config, settings

    def reads(self, config: NetworkConfig) -> Reads:
        """The tokenizer's vectors, or texts to pretrain on, where the config asks for them."""
        return Reads(config.SIZE if config.vectors != "none" else None, corpus=config.pretrain is not None)

    def build(self, config: NetworkConfig, settings: Reading, task: Task) -> "Network":
        """A fresh network, its weights drawn from the task's seed."""
        import torch

        from textmill.training.neural import outputs

        torch.manual_seed(task.seed)
        return self.network(config, task.vocabulary, outputs(settings, task), settings.max_len)

    def fit(
        self,
        config: NetworkConfig,
        settings: TrainConfig,
        data: Encoded,
        validation: Encoded,
        task: Task,
        folder: Path | None = None,
    ) -> Fitted:
        """Train a fresh network, after the pretraining that its config may ask for."""
        from textmill.networks.embedding import use_vectors
        from textmill.training.devices import find_device
        from textmill.training.neural import trained

        find_device(settings.device)  # an error before there is work
        network = self.build(config, settings, task)
        use_vectors(network.embed, config, task.vectors)
        return trained(network, config if config.pretrain else None, settings, data, validation, task, folder)

    def load(
        self,
        config: NetworkConfig,
        settings: Reading,
        tensors: Mapping[str, np.ndarray],
        task: Task,
        where: str = "weights",
    ) -> "Neural":
        """The model of `Neural.tensors()`."""
        from textmill.training.neural import restored

        config.check_length(settings.max_len, "model")
        return restored(lambda: self.build(config, settings, task), settings, tensors, where)

"""Families of networks: a network and its config, trained by the one training loop."""

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
    """A family of networks of one class, made from configs of one class.

    torch is imported only to build a network, so that params can be checked without it.
    """

    config: type[NetworkConfig]
    settings = TrainConfig

    def __init__(self, config: type[NetworkConfig], network: Callable[[Any, int, int, int | None], "Network"]):
        """network: a class or function that takes a config, the numbers of ids and of outputs, and max_len."""
        self.config, self.network = config, network

    def check(self, entry: Mapping[str, Any], train: Mapping[str, Any], where: str) -> tuple[Any, TrainConfig]:
        """Returns an entry's config and training settings. Raises ParamsError if they do not fit each other."""
        config, settings = overridden(entry, train, self.config, where)
        config.check_length(settings.max_len, where)
        return config, settings

    def reads(self, config: NetworkConfig) -> Reads:
        """Returns whether the config needs the tokenizer's vectors, or texts to pretrain on."""
        return Reads(config.SIZE if config.vectors != "none" else None, corpus=config.pretrain is not None)

    def build(self, config: NetworkConfig, settings: Reading, task: Task) -> "Network":
        """Returns a new network with random weights from the task's seed."""
        import torch

        from textmill.training.neural import output_count

        torch.manual_seed(task.seed)
        return self.network(config, task.vocabulary, output_count(settings, task), settings.max_len)

    def fit(
        self,
        config: NetworkConfig,
        settings: TrainConfig,
        data: Encoded,
        validation: Encoded,
        task: Task,
        folder: Path | None = None,
    ) -> Fitted:
        """Trains a new network, after pretraining if its config has it."""
        from textmill.networks.embedding import use_vectors
        from textmill.training.devices import find_device
        from textmill.training.neural import trained

        find_device(settings.device)  # so that an error comes before any work
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
        """Returns the model with the arrays of `Neural.tensors()`."""
        from textmill.training.neural import restored

        config.check_length(settings.max_len, "model")
        return restored(lambda: self.build(config, settings, task), settings, tensors, where)

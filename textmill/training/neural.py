"""Families of networks: each is a network and its config, trained by one loop."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch

from textmill.errors import ParamsError
from textmill.networks.config import NetworkConfig
from textmill.networks.embedding import use_vectors
from textmill.networks.layers import Network
from textmill.text.encoding import Encoded
from textmill.text.ragged import Ragged
from textmill.training import distributed, memory
from textmill.training.batching import Loader
from textmill.training.devices import check_precision, find_device, find_precision
from textmill.training.loop import predict, train
from textmill.training.pretraining import pretrain
from textmill.training.settings import Reading, TrainConfig, overridden
from textmill.training.task import Family, Fitted, Reads, Task
from textmill.training.weights import check_weights


class Neural:
    """A network and how far it reads. `precision` is that of predictions: float32 whatever training used."""

    METHODS: ClassVar[tuple[str, ...]] = ("occlusion", "gradients")

    def __init__(self, network: Network, settings: Reading):
        self.network, self.settings, self.precision = network, settings, "float32"

    def predict_in(self, precision: str) -> None:
        """Set the precision. Raises ParamsError if it is bfloat16, which the device does not compute in."""
        check_precision(precision, self.network, training=False)
        self.precision = precision

    def predict_proba(self, docs: Ragged) -> np.ndarray:
        """Probability of each class, float32 (N, C)."""
        return predict(self.network, docs, self.settings, self.precision)

    def positions(self, length: int) -> np.ndarray:
        """Which ids of a document of `length` are read, in ascending order: int64 (R,)."""
        every = Ragged(np.arange(length, dtype=np.int32), np.array([0, length]))
        ids, kept = Loader(every, self.settings.max_len, self.settings.cut, torch.device("cpu")).batch(np.array([0]))
        return ids[0, : int(kept[0])].numpy()

    def tensors(self) -> dict[str, np.ndarray]:
        """The network's weights by name."""
        return {name: tensor.cpu().numpy() for name, tensor in self.network.state_dict().items()}


class NetworkFamily(Family):
    """A family whose models are networks of one class, made from a config of one class."""

    config: type[NetworkConfig]
    settings = TrainConfig

    def __init__(self, config: type[NetworkConfig], network: type[Network]):
        self.config, self.network = config, network

    def check(self, entry: Mapping[str, Any], train: Mapping[str, Any], where: str) -> tuple[Any, TrainConfig]:
        """An entry against the network's config and the training settings, and both against each other."""
        config, settings = overridden(entry, train, self.config, where)
        config.check_length(settings.max_len, where)
        return config, settings

    def reads(self, config: NetworkConfig) -> Reads:
        """The tokenizer's vectors, or texts to pretrain on, where the config asks for them."""
        return Reads(config.SIZE if config.vectors != "none" else None, corpus=config.pretrain is not None)

    def build(self, config: NetworkConfig, settings: Reading, task: Task) -> Network:
        """A fresh network, its weights drawn from the task's seed."""
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
    ) -> Neural:
        """The model of `Neural.tensors()`."""
        config.check_length(settings.max_len, "model")
        return restored(self.build(config, settings, task), settings, tensors, where)


def outputs(settings: Reading, task: Task) -> int:
    """Logits of a document: one a class, or one alone where the loss is that of two."""
    if settings.loss == "bce" and task.classes != 2:
        raise ParamsError(f"train.loss: bce is for two classes, found {task.classes}; set cross_entropy")
    return 1 if settings.loss == "bce" else task.classes


def trained(
    network: Network,
    pretraining: NetworkConfig | None,
    settings: TrainConfig,
    data: Encoded,
    validation: Encoded,
    task: Task,
    folder: Path | None,
) -> Fitted:
    """`network` after its training; before it, if there is a config of its pretraining, after that.

    Under torchrun on all ranks.
    """
    device = find_device(settings.device)
    with memory.enough(device), distributed.group(device):
        precision = find_precision(settings.precision, network.to(device))
        found = settings.model_copy(update={"precision": precision})
        told = pretrain(network, pretraining, found, task) if pretraining else None
        history, best, learning = train(network, data, validation, found, task.seed, folder)
    return Fitted(Neural(network, settings), history, best, device.type, precision, told, learning)


def restored(network: Network, settings: Reading, tensors: Mapping[str, np.ndarray], where: str) -> Neural:
    """`network` with the weights of `Neural.tensors()`. Raises ArtifactError under `where` if one does not fit."""
    own = network.state_dict()
    forms = {name: (tuple(weight.shape), str(weight.dtype).removeprefix("torch.")) for name, weight in own.items()}
    check_weights(tensors, forms, where)
    network.load_state_dict({name: torch.from_numpy(tensor) for name, tensor in tensors.items()})
    return Neural(network.to(find_device(settings.device if settings.device == "cpu" else "auto")), settings)

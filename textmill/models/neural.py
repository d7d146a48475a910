"""Neural families: a network by name, trained by one loop."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from textmill.config import Section, validate
from textmill.encoding import Encoded
from textmill.errors import ArtifactError, ParamsError
from textmill.models import Fitted, Task, distributed
from textmill.models.devices import check_precision, find_device, find_precision
from textmill.models.inputs import use_vectors
from textmill.models.layers import Network
from textmill.models.pretraining import pretrain
from textmill.models.recurrent import LSTMConfig, Recurrent, RecurrentConfig
from textmill.models.settings import TrainConfig, overridden
from textmill.models.training import predict, train
from textmill.models.transformer import Transformer, TransformerConfig
from textmill.ragged import Ragged

NETWORKS: dict[str, tuple[type[Section], type[Network]]] = {
    "rnn": (RecurrentConfig, Recurrent),
    "gru": (RecurrentConfig, Recurrent),
    "lstm": (LSTMConfig, Recurrent),
    "transformer": (TransformerConfig, Transformer),
}


class Neural:
    """A network and how far it reads. `precision` is that of predictions: float32 whatever training used."""

    def __init__(self, network: Network, settings: TrainConfig):
        self.network, self.settings, self.precision = network, settings, "float32"

    def predict_in(self, precision: str) -> None:
        """Set the precision. Raises ParamsError if it is bfloat16, which the device does not compute in."""
        check_precision(precision, self.network, training=False)
        self.precision = precision

    def predict_proba(self, docs: Ragged) -> np.ndarray:
        """Probability of each class, float32 (N, C)."""
        return predict(self.network, docs, self.settings, self.precision)

    def tensors(self) -> dict[str, np.ndarray]:
        """The network's weights by name."""
        return {name: tensor.cpu().numpy() for name, tensor in self.network.state_dict().items()}


def config(entry: Mapping[str, Any], train: Mapping[str, Any], where: str) -> tuple[Section, TrainConfig]:
    """Check an entry of this family against its network's config and the training settings."""
    own, settings = overridden(entry, train, where)
    checked = validate(own, NETWORKS[entry["family"]][0], where)
    if getattr(checked, "positions", None) == "learned":
        if settings.max_len is None:
            raise ParamsError(f"{where}.positions: learned needs a max_len, found null")
        if checked.pretrain and checked.pretrain.window > settings.max_len:
            raise ParamsError(
                f"{where}.pretrain.window: {checked.pretrain.window} is more than max_len: {settings.max_len}, "
                "all that positions: learned can tell apart"
            )
    return checked, settings


def build(config: Section, settings: TrainConfig, task: Task) -> Network:
    """A fresh network, its weights drawn from the task's seed."""
    torch.manual_seed(task.seed)
    return NETWORKS[config.family][1](config, task.vocabulary, outputs(settings, task), settings.max_len)


def outputs(settings: TrainConfig, task: Task) -> int:
    """Logits of a document: one a class, or one alone where the loss is that of two."""
    if settings.loss == "bce" and task.classes != 2:
        raise ParamsError(f"train.loss: bce is for two classes, found {task.classes}; set cross_entropy")
    return 1 if settings.loss == "bce" else task.classes


def fit(
    config: Section, settings: TrainConfig, data: Encoded, validation: Encoded, task: Task, folder: Path | None = None
) -> Fitted:
    """Train a network of this family; `folder` holds its checkpoints."""
    find_device(settings.device)  # an error before there is work
    network = build(config, settings, task)
    use_vectors(network.embed, config, task.vectors)
    return trained(network, config, settings, data, validation, task, folder)


def trained(
    network: Network,
    config: Section,
    settings: TrainConfig,
    data: Encoded,
    validation: Encoded,
    task: Task,
    folder: Path | None,
) -> Fitted:
    """`network` after its training, and the pretraining that its config may ask for; under torchrun on all ranks."""
    device = find_device(settings.device)
    network.to(device)
    precision = find_precision(settings.precision, network, config.family)
    with distributed.group(device):
        found = settings.model_copy(update={"precision": precision})
        pretraining = None
        if getattr(config, "pretrain", None):
            pretraining = pretrain(network, task.corpus, config, found, task.seed, task.cache)
        history, best = train(network, data, validation, found, task.seed, folder)
    return Fitted(Neural(network, settings), history, best, device.type, precision, pretraining)


def load(config: Section, settings: TrainConfig, tensors: Mapping[str, np.ndarray], task: Task) -> Neural:
    """The model of `Neural.tensors()`. Raises ArtifactError naming the first tensor that does not fit."""
    return restored(build(config, settings, task), settings, tensors)


def restored(network: Network, settings: TrainConfig, tensors: Mapping[str, np.ndarray]) -> Neural:
    """`network` with the weights of `Neural.tensors()`. Raises ArtifactError naming the first that does not fit."""
    expected = network.state_dict()
    for name in sorted(expected.keys() | tensors.keys()):
        found = tuple(tensors[name].shape) if name in tensors else "none"
        wanted = tuple(expected[name].shape) if name in expected else "none"
        if found != wanted:
            raise ArtifactError(f"weights: {name}: expected shape {wanted}, found {found}")
    network.load_state_dict({name: torch.from_numpy(np.asarray(tensor)) for name, tensor in tensors.items()})
    return Neural(network.to(find_device(settings.device if settings.device == "cpu" else "auto")), settings)

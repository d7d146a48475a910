"""Networks as models: trained by the training loop, or restored from their weights."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from textmill.errors import ParamsError
from textmill.networks.config import NetworkConfig
from textmill.networks.layers import Network
from textmill.text.encoding import Encoded
from textmill.text.ragged import Ragged
from textmill.training import distributed, memory
from textmill.training.batching import Loader
from textmill.training.devices import check_precision, find_device, find_precision
from textmill.training.loop import predict, train
from textmill.training.pretraining import pretrain
from textmill.training.settings import Reading, TrainConfig
from textmill.training.task import Fitted, Task
from textmill.training.weights import check_weights

# Functions that fill a weight with random numbers.
DRAWS = {nn.init.uniform_, nn.init.normal_, nn.init.kaiming_uniform_, torch.Tensor.uniform_, torch.Tensor.normal_}

# Up to this many ids, one thread computes. On busy cores two threads wait for each other: a text of 20 words takes them
# 14 to 52 ms, and one thread 1.3 to 3 ms. On idle cores, two threads save 1 of the 2 ms that 400 ids take.
FEW = 1024


class Neural:
    """A network and its reading settings. `precision` is for predictions: float32, whatever training used."""

    METHODS: ClassVar[tuple[str, ...]] = ("occlusion", "gradients")

    def __init__(self, network: Network, settings: Reading):
        self.network, self.settings, self.precision = network, settings, "float32"

    def predict_in(self, precision: str) -> None:
        """Sets the precision of predictions. Raises ParamsError for bfloat16 if the device does not support it."""
        check_precision(precision, self.network, training=False)
        self.precision = precision

    def predict_proba(self, docs: Ragged) -> np.ndarray:
        """Returns the probability of each class, float32 (N, C)."""
        with _alone() if len(docs.ids) <= FEW else nullcontext():
            return predict(self.network, docs, self.settings, self.precision)

    def positions(self, length: int) -> np.ndarray:
        """Returns the positions that it reads in a document of `length` ids, ascending, int64 (R,)."""
        every = Ragged(np.arange(length, dtype=np.int32), np.array([0, length]))
        ids, kept = Loader(every, self.settings.max_len, self.settings.cut, torch.device("cpu")).batch(np.array([0]))
        return ids[0, : int(kept[0])].numpy()

    def tensors(self) -> dict[str, np.ndarray]:
        """Returns the network's weights by name."""
        return {name: tensor.cpu().numpy() for name, tensor in self.network.state_dict().items()}


def output_count(settings: Reading, task: Task) -> int:
    """Returns the number of logits: one per class, or one with loss: bce. Raises ParamsError if bce does not fit."""
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
    """Trains `network`, after pretraining it if there is a config for that. Under torchrun, all ranks call this."""
    device = find_device(settings.device)
    with memory.enough(device), distributed.group(device):
        precision = find_precision(settings.precision, network.to(device))
        found = settings.model_copy(update={"precision": precision})
        facts = pretrain(network, pretraining, found, task) if pretraining else None
        history, best, learning = train(network, data, validation, found, task.seed, folder)
    return Fitted(Neural(network, settings), history, best, device.type, precision, facts, learning)


def restored(build: Callable[[], Network], settings: Reading, tensors: Mapping[str, np.ndarray], where: str) -> Neural:
    """Returns the network that `build` makes, with the weights of `Neural.tensors()`.

    Raises ArtifactError with `where` if a weight does not fit.
    """
    with SkipInit():
        network = build()
    own = network.state_dict()
    forms = {name: (tuple(weight.shape), str(weight.dtype).removeprefix("torch.")) for name, weight in own.items()}
    check_weights(tensors, forms, where)
    network.load_state_dict({name: torch.from_numpy(tensor) for name, tensor in tensors.items()})
    return Neural(network.to(find_device(settings.device if settings.device == "cpu" else "auto")), settings)


class SkipInit(TorchFunctionMode):
    """A context that skips the random initialization of weights, which a file provides. Other values are computed."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = {**(kwargs or {})}
        if func in DRAWS and isinstance(weight := args[0] if args else given.get("tensor"), nn.Parameter):
            return weight
        return func(*args, **given)


@contextmanager
def _alone() -> Iterator[None]:
    """A context in which torch computes on the calling thread only."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)

"""A pretrained encoder (BERT: Devlin et al. 2019), fine-tuned or used as it is."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import Field, model_validator

from textmill.config import Depth, Fraction, Section, joined
from textmill.networks.config import Head
from textmill.text.encoding import Encoded
from textmill.training.settings import Reading, TrainConfig, overridden
from textmill.training.task import Family, Fitted, Reads, Task

if TYPE_CHECKING:
    from textmill.training.neural import Neural


class DropoutByPlace(Section):
    """Dropout by place."""

    attention: Fraction = 0.0  # dropout on attention weights; it slows long texts down by a third
    layers: Fraction = 0.1  # dropout in each layer
    head: Fraction = 0.1  # dropout before the last layer, and after each hidden layer of the head


class PretrainedConfig(Section):
    """A pretrained encoder and how it is tuned."""

    family: Literal["pretrained"]  # the kind of model, which decides what other keys the entry has
    tokenizer: str  # one of `tokenizers`, of kind pretrained, whose `files` include the encoder
    pooling: Annotated[str, joined("cls", "mean", "max", "attention")] = "mean"  # how states become one vector
    # what is not trained: true: the whole encoder; a number: the embeddings and that many of the lowest layers
    freeze: bool | Depth = False
    # learning rate of a layer, as a share of the rate of the layer above (Howard & Ruder 2018)
    layer_decay: Annotated[float, Field(gt=0, le=1)] = 1.0
    dropout: DropoutByPlace = DropoutByPlace()  # dropout by place; replaces the dropout in the encoder's config.json
    head: Head = []  # units of each hidden layer between pooling and the last layer, such as [768]

    @model_validator(mode="after")
    def _something_to_decay(self) -> "PretrainedConfig":
        if self.freeze is True and self.layer_decay != 1:
            raise ValueError(f"layer_decay: {self.layer_decay} has no effect with freeze: true; set it to 1.0")
        return self


class PretrainedFamily(Family):
    """The family of pretrained encoders. The encoder comes with its tokenizer; here it is tuned and gets a head."""

    config, settings = PretrainedConfig, TrainConfig

    def check(
        self, entry: Mapping[str, Any], train: Mapping[str, Any], where: str
    ) -> tuple[PretrainedConfig, TrainConfig]:
        """Returns an entry's config and training settings. Raises ParamsError with the key under `where`."""
        return overridden(entry, train, PretrainedConfig, where)

    def reads(self, config: PretrainedConfig) -> Reads:
        """Returns that its training reads the encoder."""
        return Reads(encoder=True)

    def fit(
        self,
        config: PretrainedConfig,
        settings: TrainConfig,
        data: Encoded,
        validation: Encoded,
        task: Task,
        folder: Path | None = None,
    ) -> Fitted:
        """Tunes the fetched encoder and trains its head."""
        from textmill.models.architectures.pretrained import build
        from textmill.networks.encoders import WEIGHTS, load_weights
        from textmill.training.devices import find_device
        from textmill.training.neural import trained

        find_device(settings.device)  # so that an error comes before any work
        network = build(config, settings, task)
        assert task.encoder is not None  # `build` read it
        load_weights(network.encoder, task.encoder / WEIGHTS)
        return trained(network, None, settings, data, validation, task, folder)

    def load(
        self,
        config: PretrainedConfig,
        settings: Reading,
        tensors: Mapping[str, np.ndarray],
        task: Task,
        where: str = "weights",
    ) -> "Neural":
        """Returns the model with the arrays of `Neural.tensors()`."""
        from textmill.models.architectures.pretrained import build
        from textmill.training.neural import restored

        return restored(lambda: build(config, settings, task), settings, tensors, where)


FAMILY = PretrainedFamily()

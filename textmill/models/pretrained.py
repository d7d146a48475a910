"""An encoder that was trained elsewhere (BERT: Devlin et al. 2019), fine-tuned or read as it is."""

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


class Shares(Section):
    """Dropout by place: on what a token looks at, in each layer, in the head."""

    attention: Fraction = 0.0  # on what a token looks at; it slows long texts down by a third
    layers: Fraction = 0.1  # in each layer
    head: Fraction = 0.1  # before the classes, and after each hidden layer


class PretrainedConfig(Section):
    """How an encoder is read and tuned."""

    family: Literal["pretrained"]  # what the entry is, and so which keys it has
    tokenizer: str  # one of `tokenizers`, of kind pretrained: it brings the encoder
    pooling: Annotated[str, joined("cls", "mean", "max", "attention")] = "mean"  # how states become one vector
    # True: the head alone learns; a number: embeddings and so many of the lowest layers stay as they are.
    freeze: bool | Depth = False
    # Rate of a layer, as a share of that of the layer above it (Howard & Ruder 2018).
    layer_decay: Annotated[float, Field(gt=0, le=1)] = 1.0
    dropout: Shares = Shares()  # by place; what the encoder's config.json says of it counts no more
    head: Head = []  # units of each hidden layer between pooling and classes, say [768]

    @model_validator(mode="after")
    def _something_to_decay(self) -> "PretrainedConfig":
        if self.freeze is True and self.layer_decay != 1:
            raise ValueError(f"layer_decay: {self.layer_decay} has no use with freeze: true; set it to 1.0")
        return self


class PretrainedFamily(Family):
    """An encoder comes with its tokenizer; what is trained here is its tuning and what stands on it."""

    config, settings = PretrainedConfig, TrainConfig

    def check(
        self, entry: Mapping[str, Any], train: Mapping[str, Any], where: str
    ) -> tuple[PretrainedConfig, TrainConfig]:
        """An entry against its config, and the training settings."""
        return overridden(entry, train, PretrainedConfig, where)

    def reads(self, config: PretrainedConfig) -> Reads:
        """The encoder."""
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
        """Tune the encoder that was fetched."""
        from textmill.models.architectures.pretrained import build
        from textmill.networks.encoders import WEIGHTS, fill
        from textmill.training.devices import find_device
        from textmill.training.neural import trained

        find_device(settings.device)  # an error before there is work
        network = build(config, settings, task)
        assert task.encoder is not None  # `build` has read it
        fill(network.encoder, task.encoder / WEIGHTS)
        return trained(network, None, settings, data, validation, task, folder)

    def load(
        self,
        config: PretrainedConfig,
        settings: Reading,
        tensors: Mapping[str, np.ndarray],
        task: Task,
        where: str = "weights",
    ) -> "Neural":
        """The model of `Neural.tensors()`."""
        from textmill.models.architectures.pretrained import build
        from textmill.training.neural import restored

        return restored(lambda: build(config, settings, task), settings, tensors, where)


FAMILY = PretrainedFamily()

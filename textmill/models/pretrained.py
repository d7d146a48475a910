"""An encoder that was trained elsewhere (BERT: Devlin et al. 2019), fine-tuned or read as it is."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from textmill.config import Depth, Fraction, Section, joined
from textmill.errors import ArtifactError, ParamsError
from textmill.networks.config import Head
from textmill.networks.encoders import CONFIG, WEIGHTS, architecture, fill, heights, longest
from textmill.networks.layers import Network, Pool, hidden_layers, inside
from textmill.text.encoding import Encoded
from textmill.text.ragged import SPECIALS
from textmill.text.tokenizer import FILE
from textmill.tokenizers import load as load_tokenizer
from textmill.tokenizers.pretrained import Frame, PretrainedTokenizer
from textmill.training.devices import find_device
from textmill.training.neural import Neural, outputs, restored, trained
from textmill.training.settings import Reading, TrainConfig, overridden
from textmill.training.task import Family, Fitted, Reads, Task

if TYPE_CHECKING:
    from transformers import PreTrainedModel


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


class Pretrained(Network):
    """Encoder, pooling, head. A text is framed as in the encoder's own training: [CLS] text [SEP].

    What is frozen gets no gradients and drops nothing.
    """

    BFLOAT16_PAYS = frozenset({"cpu", "cuda"})

    def __init__(self, config: PretrainedConfig, encoder: "PreTrainedModel", frame: Frame, outputs: int):
        super().__init__()
        self.encoder, self.frame, self.layer_decay = encoder, frame, config.layer_decay
        self.heights, self.top = heights(encoder)
        if not isinstance(config.freeze, bool) and config.freeze > self.top:
            raise ParamsError(f"freeze: {config.freeze}, but the encoder has {self.top} layers; set true for all")
        self.frozen = (self.top if config.freeze is True else config.freeze or -1) + 1  # heights below get no gradients
        for name, weight in encoder.named_parameters():
            weight.requires_grad_(self.heights[name] >= self.frozen)
        self.pool = Pool(config.pooling, encoder.config.hidden_size, {"cls": lambda states, lengths: states[:, 0]})
        self.head = hidden_layers(self.pool.width, config.head, config.dropout.head)
        self.classify = nn.Linear([self.pool.width, *config.head][-1], outputs)

    def embed(self, ids: Tensor) -> Tensor:
        """ids (B, T) -> the encoder's vectors of them (B, T, E), without positions"""
        theirs = torch.where(ids < SPECIALS, self.frame.unknown, ids - SPECIALS)  # PAD, too: nothing looks at it
        return self.encoder.get_input_embeddings()(theirs)

    def read(self, embedded: Tensor, lengths: Tensor) -> Tensor:
        """embedded (B, T, E), lengths (B,) -> logits (B, outputs)"""
        framed = self.framed(embedded, lengths)
        lengths = lengths + framed.shape[1] - embedded.shape[1]
        mask = inside(lengths, framed.shape[1]).long()
        states = self.encoder(inputs_embeds=framed, attention_mask=mask).last_hidden_state  # (B, F + T, H)
        return self.classify(self.head(self.pool(states, lengths)))

    def framed(self, embedded: Tensor, lengths: Tensor) -> Tensor:
        """Texts (B, T, E) with the F vectors of the frame around each: (B, F + T, E)."""
        before, after = (self._vectors(ids, embedded) for ids in (self.frame.before, self.frame.after))  # (F, E)
        rows = len(embedded)
        framed = torch.cat([before.expand(rows, -1, -1), embedded, after.expand(rows, -1, -1)], 1)
        ends = len(before) + lengths[:, None] + torch.arange(len(after), device=lengths.device)  # (B, F)
        return framed.scatter(1, ends[..., None].expand(-1, -1, framed.shape[2]), after.expand(rows, -1, -1))

    def _vectors(self, ids: list[int], like: Tensor) -> Tensor:
        return self.encoder.get_input_embeddings()(torch.tensor(ids, dtype=torch.long, device=like.device))

    def train(self, mode: bool = True) -> "Pretrained":
        """Training or predicting; what is frozen always predicts."""
        super().train(mode)
        for name, part in self.encoder.named_modules():
            part.training = mode and self.heights[name] >= self.frozen
        return self

    def scale(self, name: str) -> float:
        """Share of the learning rate that a weight has: lower layers keep more of what they know.

        Howard & Ruder 2018, 3.2; the head has all of it, the highest layer `layer_decay` of it.
        """
        if not name.startswith("encoder."):
            return 1.0
        return self.layer_decay ** (self.top + 1 - self.heights[name.removeprefix("encoder.")])


def build(config: PretrainedConfig, settings: Reading, task: Task) -> Pretrained:
    """A fresh network, its weights drawn from the task's seed: those of the encoder, too.

    Raises ParamsError if the tokenizer brings no encoder, or if that cannot read as far as `max_len`.
    """
    if task.encoder is None:
        raise ParamsError(
            f"family: pretrained needs an encoder; list {CONFIG} and {WEIGHTS} in tokenizers.{config.tokenizer}.files, "
            "of kind pretrained"
        )
    tokenizer = load_tokenizer(task.encoder.parent / FILE)
    assert isinstance(tokenizer, PretrainedTokenizer)  # no other kind brings an encoder
    torch.manual_seed(task.seed)
    encoder = architecture(task.encoder, config.dropout.attention, config.dropout.layers)
    table: Any = encoder.get_input_embeddings()  # for transformers, some module
    known, needed = table.num_embeddings, tokenizer.size - SPECIALS
    if known < needed:
        raise ArtifactError(f"{task.encoder / CONFIG}: {known:,} tokens, but its tokenizer has {needed:,}")
    limit, extra = longest(encoder), len(tokenizer.frame.before) + len(tokenizer.frame.after)
    if limit is not None and (settings.max_len is None or settings.max_len + extra > limit):
        raise ParamsError(
            f"max_len: {settings.max_len} and {extra} special tokens are more than the {limit} that the encoder of "
            f"tokenizers.{config.tokenizer} reads; set it to {limit - extra} or less"
        )
    return Pretrained(config, encoder, tokenizer.frame, outputs(settings, task))


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
    ) -> Neural:
        """The model of `Neural.tensors()`."""
        return restored(build(config, settings, task), settings, tensors, where)


FAMILY = PretrainedFamily()

"""The network of family pretrained: an encoder, and what stands on it."""

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from textmill.errors import ArtifactError, ParamsError
from textmill.models.pretrained import PretrainedConfig
from textmill.networks.encoders import CONFIG, WEIGHTS, architecture, heights, longest
from textmill.networks.layers import Network, Pool, hidden_layers, inside
from textmill.text.ragged import SPECIALS
from textmill.text.tokenizer import FILE
from textmill.tokenizers import load as load_tokenizer
from textmill.tokenizers.pretrained import Frame, PretrainedTokenizer
from textmill.training.neural import outputs
from textmill.training.settings import Reading
from textmill.training.task import Task

if TYPE_CHECKING:
    from transformers import PreTrainedModel


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

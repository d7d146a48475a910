"""The network of family pretrained: an encoder with pooling and a head."""

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from textmill.errors import ArtifactError, ParamsError
from textmill.models.pretrained import PretrainedConfig
from textmill.networks.encoders import CONFIG, WEIGHTS, build_encoder, layer_numbers, max_positions
from textmill.networks.layers import Network, Pool, hidden_layers, text_mask
from textmill.text.ragged import SPECIALS
from textmill.text.tokenizer import FILE
from textmill.tokenizers import load as load_tokenizer
from textmill.tokenizers.pretrained import Frame, PretrainedTokenizer
from textmill.training.neural import output_count
from textmill.training.settings import Reading
from textmill.training.task import Task

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class Pretrained(Network):
    """Encoder, pooling, head. Special tokens frame a text as in the encoder's pretraining: [CLS] text [SEP].

    Frozen layers get no gradients and no dropout.
    """

    BFLOAT16_PAYS = frozenset({"cpu", "cuda"})

    def __init__(self, config: PretrainedConfig, encoder: "PreTrainedModel", frame: Frame, outputs: int):
        super().__init__()
        self.encoder, self.frame, self.layer_decay = encoder, frame, config.layer_decay
        self.layer_numbers, self.top = layer_numbers(encoder)
        if not isinstance(config.freeze, bool) and config.freeze > self.top:
            raise ParamsError(f"freeze: {config.freeze}, but the encoder has {self.top} layers; set true for all")
        self.frozen = (
            self.top if config.freeze is True else config.freeze or -1
        ) + 1  # layers below this number are frozen
        for name, weight in encoder.named_parameters():
            weight.requires_grad_(self.layer_numbers[name] >= self.frozen)
        self.pool = Pool(config.pooling, encoder.config.hidden_size, {"cls": lambda states, lengths: states[:, 0]})
        self.head = hidden_layers(self.pool.width, config.head, config.dropout.head)
        self.classify = nn.Linear([self.pool.width, *config.head][-1], outputs)

    def embed(self, ids: Tensor) -> Tensor:
        """ids (B, T) -> the encoder's token vectors (B, T, E), without positions"""
        theirs = torch.where(ids < SPECIALS, self.frame.unknown, ids - SPECIALS)  # also for PAD, which is masked
        return self.encoder.get_input_embeddings()(theirs)

    def read(self, embedded: Tensor, lengths: Tensor) -> Tensor:
        """embedded (B, T, E), lengths (B,) -> logits (B, outputs)"""
        framed = self.framed(embedded, lengths)
        lengths = lengths + framed.shape[1] - embedded.shape[1]
        mask = text_mask(lengths, framed.shape[1]).long()
        states = self.encoder(inputs_embeds=framed, attention_mask=mask).last_hidden_state  # (B, F + T, H)
        return self.classify(self.head(self.pool(states, lengths)))

    def framed(self, embedded: Tensor, lengths: Tensor) -> Tensor:
        """Returns texts (B, T, E) with the F special tokens around each: (B, F + T, E)."""
        before, after = (self._vectors(ids, embedded) for ids in (self.frame.before, self.frame.after))  # (F, E)
        rows = len(embedded)
        framed = torch.cat([before.expand(rows, -1, -1), embedded, after.expand(rows, -1, -1)], 1)
        ends = len(before) + lengths[:, None] + torch.arange(len(after), device=lengths.device)  # (B, F)
        return framed.scatter(1, ends[..., None].expand(-1, -1, framed.shape[2]), after.expand(rows, -1, -1))

    def _vectors(self, ids: list[int], like: Tensor) -> Tensor:
        return self.encoder.get_input_embeddings()(torch.tensor(ids, dtype=torch.long, device=like.device))

    def train(self, mode: bool = True) -> "Pretrained":
        """Switches between training and prediction; frozen layers always stay in prediction mode."""
        super().train(mode)
        for name, part in self.encoder.named_modules():
            part.training = mode and self.layer_numbers[name] >= self.frozen
        return self

    def scale(self, name: str) -> float:
        """Returns the factor on a weight's learning rate, which is smaller for lower layers (Howard & Ruder 2018, 3.2).

        It is 1 for the head and `layer_decay` for the highest layer.
        """
        if not name.startswith("encoder."):
            return 1.0
        return self.layer_decay ** (self.top + 1 - self.layer_numbers[name.removeprefix("encoder.")])


def build(config: PretrainedConfig, settings: Reading, task: Task) -> Pretrained:
    """Returns a new network; all weights, including the encoder's, are random from the task's seed.

    Raises ParamsError if the tokenizer has no encoder, or if the encoder cannot read `max_len` ids.
    """
    if task.encoder is None:
        raise ParamsError(
            f"family: pretrained needs an encoder; list {CONFIG} and {WEIGHTS} in tokenizers.{config.tokenizer}.files, "
            "of kind pretrained"
        )
    tokenizer = load_tokenizer(task.encoder.parent / FILE)
    assert isinstance(tokenizer, PretrainedTokenizer)  # no other kind has an encoder
    torch.manual_seed(task.seed)
    encoder = build_encoder(task.encoder, config.dropout.attention, config.dropout.layers)
    table: Any = encoder.get_input_embeddings()  # transformers types it as any module
    known, needed = table.num_embeddings, tokenizer.size - SPECIALS
    if known < needed:
        raise ArtifactError(
            f"{task.encoder / CONFIG}: {known:,} tokens, but its tokenizer has {needed:,}; use files of the same model"
        )
    limit, extra = max_positions(encoder), len(tokenizer.frame.before) + len(tokenizer.frame.after)
    if limit is not None and (settings.max_len is None or settings.max_len + extra > limit):
        raise ParamsError(
            f"max_len: {settings.max_len} and {extra} special tokens are more than the {limit} that the encoder of "
            f"tokenizers.{config.tokenizer} reads; set it to {limit - extra} or less"
        )
    return Pretrained(config, encoder, tokenizer.frame, output_count(settings, task))

"""The network of family transformer."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from textmill.models.transformer import TransformerConfig
from textmill.networks.config import DropoutByPlace
from textmill.networks.embedding import Input
from textmill.networks.layers import Network, Pool, hidden_layers, sequence_dropout, text_mask

SHORT = 1024  # steps up to which the whole (T, T) matrix of scores is computed
# Steps per part on a CPU in float32, so that more of them stay in its cache: saves 3 to 6 % of a training step with
# 9,600 steps. Bfloat16 gains little (2 % of inference), and short texts would take a fifth longer.
CACHED = 2400


class Transformer(Network):
    """Embedding with positions, blocks of attention, pooling, classifier.

    Learned positions exist up to `max_len`; sinusoidal ones are computed for any length.
    """

    BFLOAT16_PAYS = frozenset({"cpu", "cuda"})
    OBJECTIVE = "masked"
    BODY = ("embed.weight", "positions", "blocks.", "norm.")

    def __init__(self, config: TransformerConfig, vocabulary: int, outputs: int, max_len: int | None):
        super().__init__()
        dropout, self.width = DropoutByPlace.of(config.dropout), config.width
        self.embed = Input(vocabulary, config.width, config.bigrams, config.max_norm, dropout.embedding, config.locked)
        self.positions = None
        if config.positions == "learned":
            assert max_len is not None  # `check_length` made sure
            self.positions = nn.Parameter(torch.randn(max_len + 1, config.width) * config.width**-0.5)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.width)
        # Drawn after the body, so that a pretrained body fits every pooling.
        self.first = nn.Parameter(torch.randn(config.width) * config.width**-0.5) if "cls" in config.pooling else None
        self.pool = Pool(config.pooling, config.width, {"cls": lambda states, lengths: states[:, 0]})
        self.head = hidden_layers(self.pool.width, config.head, dropout.head)
        self.classify = nn.Linear([self.pool.width, *config.head][-1], outputs)

    def read(self, embedded: Tensor, lengths: Tensor) -> Tensor:
        """embedded (B, T, W), lengths (B,) -> logits (B, outputs)"""
        if self.first is not None:
            embedded = torch.cat([self.first.expand(len(embedded), 1, -1), embedded], 1)  # T + 1 steps
            lengths = lengths + 1
        return self.classify(self.head(self.pool(self.states(embedded, lengths), lengths)))

    def states(self, states: Tensor, lengths: Tensor) -> Tensor:
        """embedded (B, T, W), lengths (B,) -> states of the last block (B, T, W)"""
        steps, width = states.shape[1:]
        positions = sinusoids(steps, width, states.device) if self.positions is None else self.positions[:steps]
        states = states + positions
        mask = text_mask(lengths, steps)[:, None, None, :]  # (B, 1, 1, T): no step attends to padding
        in_parts = states.device.type == "cpu" and not torch.is_autocast_enabled("cpu")
        rows = max(1, CACHED // steps) if in_parts else len(states)
        return torch.cat([self.through(*part) for part in zip(states.split(rows), mask.split(rows), strict=True)])

    def through(self, states: Tensor, mask: Tensor) -> Tensor:
        """Applies the blocks: states (B, T, W), mask (B, 1, 1, T) -> (B, T, W)"""
        for block in self.blocks:
            states = block(states, mask)
        return self.norm(states)


class Block(nn.Module):
    """Self-attention and two dense layers, each with normalization before it and a residual connection."""

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.heads = config.heads
        self.norm_attention = nn.LayerNorm(config.width)
        self.project = nn.Linear(config.width, 3 * config.width)
        self.join = nn.Linear(config.width, config.width)
        self.norm_dense = nn.LayerNorm(config.width)
        self.dense = nn.Sequential(
            nn.Linear(config.width, config.feedforward), nn.ReLU(), nn.Linear(config.feedforward, config.width)
        )
        # No dropout inside attention, which would rule out the fused kernel. One mask per document (locked): a mask
        # for every step costs an eighth of a training step in bfloat16.
        self.dropout = sequence_dropout(DropoutByPlace.of(config.dropout).layers, config.locked)

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """states (B, T, W), mask (B, 1, 1, T) -> (B, T, W)"""
        batch, steps, width = states.shape
        qkv = self.project(self.norm_attention(states)).view(batch, steps, 3, self.heads, width // self.heads)
        query, key, value = (part.transpose(1, 2) for part in qkv.unbind(2))  # each (B, heads, T, W / heads)
        seen = attention(query, key, value, mask)
        seen = self.join(seen.transpose(1, 2).reshape(batch, steps, width))
        states = states + self.dropout(seen)
        return states + self.dropout(self.dense(self.norm_dense(states)))


def attention(query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
    """Returns scaled dot-product attention: three of (B, heads, T, D), mask (B, 1, 1, T) -> (B, heads, T, D)."""
    if query.device.type == "cpu" and query.dtype == torch.bfloat16 and query.shape[2] <= SHORT:
        # The fused kernel's backward pass is slower in bfloat16 than in float32; plain products take a third of its
        # time.
        with torch.autocast("cpu", enabled=False):  # autocast would make the softmax float32
            scores = (query * query.shape[-1] ** -0.5) @ key.transpose(2, 3)  # (B, heads, T, T)
            return (scores + mask.to(scores.dtype).log()).softmax(3) @ value
    return F.scaled_dot_product_attention(query, key, value, attn_mask=mask)


def sinusoids(steps: int, width: int, device: torch.device) -> Tensor:
    """Returns sines and cosines of each position, (T, W) (Vaswani et al. 2017, 3.5), of a new embedding's length."""
    rates = 10000 ** (-torch.arange(0, width, 2, device=device) / width)  # (W / 2,)
    angles = torch.arange(steps, device=device)[:, None] * rates  # (T, W / 2)
    return torch.stack([angles.sin(), angles.cos()], 2).flatten(1) * width**-0.5

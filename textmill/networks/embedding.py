"""The first layer of networks: vectors of words and of pairs of neighbouring words."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from textmill.errors import ParamsError
from textmill.networks.config import NetworkConfig
from textmill.networks.layers import sequence_dropout
from textmill.text.ragged import PAD
from textmill.vectors import WordVectors

FACTOR = 2654435761  # multiplies a pair's first id (Knuth 1973, 6.4); the product fits in 64 bits


class Input(nn.Embedding):
    """Word vectors plus the vectors of hashed pairs of neighbouring words; PAD's vector is always zero.

    Word vectors start with unit expected norm. Pairs start at zero, so that pairs not seen in training add nothing.
    """

    def __init__(self, vocabulary: int, width: int, buckets: int, longest: float | None, dropout: float, locked: bool):
        super().__init__(vocabulary, width, padding_idx=PAD)
        nn.init.normal_(self.weight, std=width**-0.5)
        with torch.no_grad():
            self.weight[PAD].zero_()
        self.pairs = None
        if buckets:
            self.pairs = nn.Embedding.from_pretrained(torch.zeros(1 + buckets, width), freeze=False, padding_idx=PAD)
        self.dropout = sequence_dropout(dropout, locked)
        self.longest = longest
        self.bound()

    def forward(self, ids: Tensor) -> Tensor:
        """(B, T) -> (B, T, E)"""
        vectors = super().forward(ids)
        if self.pairs is not None:
            vectors = vectors + self.pairs(pair_ids(ids, self.pairs.num_embeddings - 1))
        return self.dropout(vectors)

    @torch.no_grad()
    def bound(self) -> None:
        """Scales word vectors longer than `max_norm` down to it; called after each optimizer step.

        nn.Embedding would do it at each look-up: predictions would change weights, and each rank different ones.
        """
        if self.longest is not None:
            self.weight.renorm_(2, 0, self.longest)

    @torch.no_grad()
    def fill(self, known: WordVectors, frozen: bool) -> None:
        """Sets known vectors. Other words keep their random vectors, scaled to the known vectors' spread."""
        vectors = torch.from_numpy(known.vectors)  # (K, E)
        self.weight.mul_(vectors.std(correction=0) * self.embedding_dim**0.5)
        self.weight[torch.from_numpy(known.ids)] = vectors
        self.weight[PAD].zero_()
        self.bound()
        self.weight.requires_grad_(not frozen)


def pair_ids(ids: Tensor, buckets: int) -> Tensor:
    """Returns the bucket of each word's pair with the word before it: (B, T) in 1..buckets.

    PAD where there is no pair: at the first word and in padding.
    """
    before = nn.functional.pad(ids, (1, 0), value=PAD)[:, :-1]
    return (1 + (before * FACTOR + ids) % buckets).masked_fill((before == PAD) | (ids == PAD), PAD)


def use_vectors(embed: Callable[[Tensor], Tensor], config: NetworkConfig, known: WordVectors | None) -> None:
    """Sets the vectors of `embed`, an Input, as `config.vectors` says.

    Raises ParamsError if its tokenizer has no vectors, or vectors of another size.
    """
    if config.vectors == "none":
        return
    source = f"tokenizers.{config.tokenizer}.vectors"
    assert isinstance(embed, Input)
    if known is None or not len(known.ids):
        raise ParamsError(f"vectors: {config.vectors} needs {source}, which has none; change one of the two")
    if known.vectors.shape[1] != embed.embedding_dim:
        key, size = config.SIZE, known.vectors.shape[1]
        raise ParamsError(f"{key}: {embed.embedding_dim} is not the size of the vectors in {source}; set {key}: {size}")
    embed.fill(known, frozen=config.vectors == "frozen")

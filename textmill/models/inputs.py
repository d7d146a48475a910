"""Where both kinds of networks begin: vectors of words and of pairs of neighbours, and the params of both ends."""

from typing import Annotated, Literal

import torch
from pydantic import Discriminator, Field, Tag
from torch import Tensor, nn

from textmill.config import Count, Fraction, Positive, Section
from textmill.errors import ParamsError
from textmill.models.layers import over_time
from textmill.ragged import PAD
from textmill.vectors import WordVectors

FACTOR = 2654435761  # of a pair's first id (Knuth 1973, 6.4); its product with an id fits in 64 bits

Vectors = Literal["none", "tuned", "frozen"]  # word vectors of the tokenizer as the first embeddings
Buckets = Annotated[int, Field(ge=0)]  # of hashed pairs of neighbours (fastText: Joulin et al. 2017); 0: no pairs
Head = list[Count]  # units of each hidden layer between pooling and classes


class Shares(Section):
    """Dropout by place."""

    embedding: Fraction
    layers: Fraction
    head: Fraction

    @classmethod
    def of(cls, dropout: "float | Shares") -> "Shares":
        """The share of each place, where one number may stand for all."""
        return dropout if isinstance(dropout, Shares) else cls(embedding=dropout, layers=dropout, head=dropout)


# One number stands for all three places.
Dropout = Annotated[
    Annotated[Fraction, Tag("all")] | Annotated[Shares, Tag("each")],
    Discriminator(lambda value: "each" if isinstance(value, dict) else "all"),
]


class Pretraining(Section):
    """A language model on the training and unlabelled texts, less those that are test texts, before the training."""

    epochs: Count
    lr: Positive
    window: Annotated[int, Field(ge=2)]  # ids that are read at once
    negatives: Count  # words drawn to compare each guess with


Pretrain = Pretraining | None


class Input(nn.Embedding):
    """Words' vectors, to which those of hashed pairs of neighbours are added; PAD is zero and stays so.

    A word's vector has unit expected norm at first. A pair's is zero: one that no training text holds adds nothing.
    """

    def __init__(self, vocabulary: int, width: int, buckets: int, longest: float | None, dropout: float, locked: bool):
        super().__init__(vocabulary, width, padding_idx=PAD)
        nn.init.normal_(self.weight, std=width**-0.5)
        with torch.no_grad():
            self.weight[PAD].zero_()
        self.pairs = None
        if buckets:
            self.pairs = nn.Embedding.from_pretrained(torch.zeros(1 + buckets, width), freeze=False, padding_idx=PAD)
        self.dropout = over_time(dropout, locked)
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
        """Shorten the words' vectors that are longer than `max_norm`, after each step of the optimizer.

        nn.Embedding does it at each look-up: a prediction would change weights, and each rank others.
        """
        if self.longest is not None:
            self.weight.renorm_(2, 0, self.longest)

    @torch.no_grad()
    def fill(self, known: WordVectors, frozen: bool) -> None:
        """Begin with known vectors. Other words keep their random ones, with the known ones' spread."""
        vectors = torch.from_numpy(known.vectors)  # (K, E)
        self.weight.mul_(vectors.std(correction=0) * self.embedding_dim**0.5)
        self.weight[torch.from_numpy(known.ids)] = vectors
        self.weight[PAD].zero_()
        self.bound()
        self.weight.requires_grad_(not frozen)


def pair_ids(ids: Tensor, buckets: int) -> Tensor:
    """Where the pair of each word and the one before it stands in a table: (B, T) in 1..buckets.

    It is PAD where there is no pair: at the first word, and in the padding.
    """
    before = nn.functional.pad(ids, (1, 0), value=PAD)[:, :-1]
    return (1 + (before * FACTOR + ids) % buckets).masked_fill((before == PAD) | (ids == PAD), PAD)


def use_vectors(embed: Input, config: Section, known: WordVectors | None) -> None:
    """Fill `embed` as `config.vectors` says. Raises ParamsError where its tokenizer has none, or of another size."""
    if config.vectors == "none":
        return
    source = f"tokenizers.{config.tokenizer}.vectors"
    if known is None or not len(known.ids):
        raise ParamsError(f"vectors: {config.vectors} needs {source}, which gives none; change one of the two")
    if known.vectors.shape[1] != embed.embedding_dim:
        key = "width" if hasattr(config, "width") else "embedding"
        raise ParamsError(
            f"{key}: {embed.embedding_dim} is not the size of {source}; set {key}: {known.vectors.shape[1]}"
        )
    embed.fill(known, frozen=config.vectors == "frozen")

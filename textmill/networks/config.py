"""Keys that the entries of all networks trained here share: where they begin, how they end, what they forget."""

from typing import Annotated, ClassVar, Literal

from pydantic import Discriminator, Field, Tag

from textmill.config import Count, Fraction, Positive, Section

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


class NetworkConfig(Section):
    """What all networks have; a family adds its own sizes."""

    SIZE: ClassVar[str] = "embedding"  # the key that says how long a word's vector is

    family: str
    tokenizer: str
    vectors: Vectors
    max_norm: Positive | None  # of a word's vector
    bigrams: Buckets
    dropout: Dropout  # layers: between them, or in each block
    locked: bool  # one mask a document on embeddings and between layers, instead of one a step
    head: Head
    pretrain: Pretraining | None

    def check_length(self, max_len: int | None, where: str) -> None:
        """Raise ParamsError, naming the key under `where`, if a network like this cannot read `max_len` ids."""

"""Keys that the entries of all networks trained here share: where they begin, how they end, what they forget."""

from typing import Annotated, ClassVar, Literal

from pydantic import Discriminator, Field, Tag

from textmill.config import Depth, Few, Fraction, Positive, Rate, Section, Width, joined

Vectors = Literal["none", "tuned", "frozen"]
Head = Annotated[list[Width], Field(max_length=100)]


class Shares(Section):
    """Dropout by place; none at a place that is left out."""

    embedding: Fraction = 0.0  # of the words' vectors
    layers: Fraction = 0.0  # between layers, or in each block
    head: Fraction = 0.0  # before the classes, and after each hidden layer

    @classmethod
    def of(cls, dropout: "float | Shares") -> "Shares":
        """The share of each place, where one number may stand for all."""
        return dropout if isinstance(dropout, Shares) else cls(embedding=dropout, layers=dropout, head=dropout)


# One number stands for all three places.
Dropout = Annotated[
    Annotated[Fraction, Tag("all")] | Annotated[Shares, Tag("each")],
    Discriminator(lambda value: "each" if isinstance(value, dict | Shares) else "all"),
]


class Pretraining(Section):
    """A language model on the training and unlabelled texts, less those that are test texts, before the training."""

    epochs: Few = 2  # passes over the texts
    lr: Rate = 3e-3  # learning rate, at its highest
    window: Annotated[int, Field(ge=2, le=100_000)] = 128  # ids that are read at once
    negatives: Few = 512  # words drawn to compare each guess with


class NetworkConfig(Section):
    """What all networks have; a family adds its own sizes."""

    SIZE: ClassVar[str] = "embedding"  # the key that says how long a word's vector is

    family: str  # what the entry is, and so which keys it has
    tokenizer: str  # one of `tokenizers`
    vectors: Vectors = "none"  # the tokenizer's word vectors as the first embeddings
    max_norm: Positive | None = None  # longest that a word's vector may be
    # Buckets of pairs of neighbours that have vectors beside the words, say 100000 (Joulin et al. 2017).
    bigrams: Annotated[int, Field(ge=0, le=10_000_000)] = 0
    dropout: Dropout = 0.3  # one share for all places, or one by place
    locked: bool = True  # one mask a document on embeddings and between layers, instead of one a step
    head: Head = []  # units of each hidden layer between pooling and classes, say [512, 256]
    pretrain: Pretraining | None = None  # a language model of train and unlabelled texts before the training

    def check_length(self, max_len: int | None, where: str) -> None:
        """Raise ParamsError, naming the key under `where`, if a network like this cannot read `max_len` ids."""


class RecurrentConfig(NetworkConfig):
    """Sizes of a recurrent network."""

    embedding: Width = 64  # numbers in a word's vector
    hidden: Width = 64  # units in each direction
    layers: Depth = 1  # recurrent ones, each on the one below
    bidirectional: bool = True  # a second reading, from the end
    start: Literal["orthogonal", "identity"] = "orthogonal"  # of the weights from state to state (Le et al. 2015)
    pooling: Annotated[str, joined("last", "mean", "max", "attention")] = "max+mean"  # how states become one vector

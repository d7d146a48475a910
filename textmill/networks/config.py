"""The config keys that all networks trained from scratch share."""

from typing import Annotated, ClassVar, Literal

from pydantic import Discriminator, Field, Tag

from textmill.config import Depth, Few, Fraction, Positive, Rate, Section, Width, joined

Vectors = Literal["none", "tuned", "frozen"]
Head = Annotated[list[Width], Field(max_length=100)]


class DropoutByPlace(Section):
    """Dropout by place; 0 where a place is left out."""

    embedding: Fraction = 0.0  # dropout on the word vectors
    layers: Fraction = 0.0  # dropout between layers, or in each block
    head: Fraction = 0.0  # dropout before the last layer, and after each hidden layer of the head

    @classmethod
    def of(cls, dropout: "float | DropoutByPlace") -> "DropoutByPlace":
        """Returns the dropout of each place, given it or one number for all places."""
        return dropout if isinstance(dropout, DropoutByPlace) else cls(embedding=dropout, layers=dropout, head=dropout)


# One number applies to all three places.
Dropout = Annotated[
    Annotated[Fraction, Tag("all")] | Annotated[DropoutByPlace, Tag("each")],
    Discriminator(lambda value: "each" if isinstance(value, dict | DropoutByPlace) else "all"),
]


class Pretraining(Section):
    """Pretraining: a language model on the training and unlabelled texts, without any that are also test texts."""

    epochs: Few = 2  # passes over the texts
    lr: Rate = 3e-3  # peak learning rate
    window: Annotated[int, Field(ge=2, le=100_000)] = 128  # ids in a training sequence
    negatives: Few = 512  # negative samples: random words that each prediction is compared with


class NetworkConfig(Section):
    """Keys that all networks have; each family adds its own sizes."""

    SIZE: ClassVar[str] = "embedding"  # the key for the size of word vectors

    family: str  # the kind of model, which decides what other keys the entry has
    tokenizer: str  # one of `tokenizers`
    # none: embeddings start at random; tuned, frozen: they start as the tokenizer's word vectors, and are trained or
    # stay as they are
    vectors: Vectors = "none"
    max_norm: Positive | None = None  # maximum length of a word's vector
    # number of buckets for hashed pairs of neighbouring words, each with a vector, such as 100000 (Joulin et al. 2017)
    bigrams: Annotated[int, Field(ge=0, le=10_000_000)] = 0
    dropout: Dropout = 0.3  # one share for all places, or {embedding, layers, head}
    locked: bool = True  # on embeddings and between layers, one dropout mask per document instead of one per step
    head: Head = []  # units of each hidden layer between pooling and the last layer, such as [512, 256]
    pretrain: Pretraining | None = None  # language-model pretraining on the training and unlabelled texts; null: none

    def check_length(self, max_len: int | None, where: str) -> None:
        """Raises ParamsError with the key under `where` if such a network cannot read `max_len` ids."""


class RecurrentConfig(NetworkConfig):
    """Keys of a recurrent network."""

    embedding: Width = 64  # numbers in a word's vector
    hidden: Width = 64  # units in each direction
    layers: Depth = 1  # number of recurrent layers
    bidirectional: bool = True  # whether to read texts also from the end
    start: Literal["orthogonal", "identity"] = "orthogonal"  # initial state-to-state weights (Le et al. 2015)
    pooling: Annotated[str, joined("last", "mean", "max", "attention")] = "max+mean"  # how states become one vector

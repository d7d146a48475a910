"""What both kinds of networks have at their ends: the params of their embeddings, dropout, head and pretraining."""

from typing import Annotated, Literal

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

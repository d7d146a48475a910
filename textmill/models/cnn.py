"""A convolutional network over words (Kim 2014): windows of several widths, the maximum of each filter."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from textmill.config import Width
from textmill.networks.config import NetworkConfig
from textmill.training.family import NetworkFamily

if TYPE_CHECKING:
    from textmill.models.architectures.cnn import CNN

Widths = Annotated[list[Annotated[int, Field(ge=1, le=100)]], Field(min_length=1, max_length=20)]


class CNNConfig(NetworkConfig):
    """Keys of a convolutional network."""

    family: Literal["cnn"]
    embedding: Width = 64  # numbers in a word's vector
    widths: Widths = [3, 4, 5]  # words in a window (Kim 2014)
    filters: Width = 100  # filters of each width
    pretrain: None = None  # this family has no pretraining


def network(config: CNNConfig, vocabulary: int, outputs: int, max_len: int | None) -> "CNN":
    """Returns a new network. torch is imported here, so that entries can be checked without it."""
    from textmill.models.architectures.cnn import CNN

    return CNN(config, vocabulary, outputs, max_len)


FAMILY = NetworkFamily(CNNConfig, network)

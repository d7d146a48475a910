"""A plain recurrent network (Elman 1990), in one or both directions."""

from typing import TYPE_CHECKING, Literal

from textmill.networks.config import RecurrentConfig
from textmill.training.family import NetworkFamily

if TYPE_CHECKING:
    from textmill.models.architectures.rnn import RNN


class RNNConfig(RecurrentConfig):
    """A plain recurrent network; it has no further keys."""

    family: Literal["rnn"]


def network(config: RNNConfig, vocabulary: int, outputs: int, max_len: int | None) -> "RNN":
    """Returns a new network. torch is imported here, so that entries can be checked without it."""
    from textmill.models.architectures.rnn import RNN

    return RNN(config, vocabulary, outputs, max_len)


FAMILY = NetworkFamily(RNNConfig, network)

"""A network of gated recurrent units (Cho et al. 2014), in one or both directions."""

from typing import TYPE_CHECKING, Literal

from textmill.networks.config import RecurrentConfig
from textmill.training.family import NetworkFamily

if TYPE_CHECKING:
    from textmill.models.architectures.gru import GRU


class GRUConfig(RecurrentConfig):
    """A network of gated recurrent units; it has no further keys."""

    family: Literal["gru"]


def network(config: GRUConfig, vocabulary: int, outputs: int, max_len: int | None) -> "GRU":
    """Returns a new network. torch is imported here, so that entries can be checked without it."""
    from textmill.models.architectures.gru import GRU

    return GRU(config, vocabulary, outputs, max_len)


FAMILY = NetworkFamily(GRUConfig, network)

"""A network of long short-term memory (Hochreiter & Schmidhuber 1997), in one or both directions."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from textmill.networks.config import RecurrentConfig
from textmill.training.family import NetworkFamily

if TYPE_CHECKING:
    from textmill.models.architectures.lstm import LSTM


class LSTMConfig(RecurrentConfig):
    """A network of long short-term memory."""

    family: Literal["lstm"]
    # initial bias of the forget gates; at 1 they start by remembering (Jozefowicz et al. 2015)
    forget_bias: Annotated[float, Field(ge=-100, le=100, allow_inf_nan=False)] = 1.0


def network(config: LSTMConfig, vocabulary: int, outputs: int, max_len: int | None) -> "LSTM":
    """Returns a new network. torch is imported here, so that entries can be checked without it."""
    from textmill.models.architectures.lstm import LSTM

    return LSTM(config, vocabulary, outputs, max_len)


FAMILY = NetworkFamily(LSTMConfig, network)

"""A network of long short-term memory (Hochreiter & Schmidhuber 1997), in one or both directions."""

from typing import Annotated, Literal

from pydantic import Field
from torch import nn

from textmill.networks.recurrent import Recurrent, RecurrentConfig
from textmill.training.neural import NetworkFamily


class LSTMConfig(RecurrentConfig):
    """A recurrent network that may begin by remembering."""

    family: Literal["lstm"]
    # Of the forget gates at first: 1 remembers (Jozefowicz et al. 2015).
    forget_bias: Annotated[float, Field(ge=-100, le=100, allow_inf_nan=False)] = 1.0


class LSTM(Recurrent):
    CELL = nn.LSTM
    BFLOAT16_PAYS = frozenset({"cpu"})

    def begin(self, layer: nn.RNNBase, config: LSTMConfig) -> None:
        """First weights, and how much a layer remembers at first."""
        super().begin(layer, config)
        layer.get_parameter("bias_ih_l0").data[layer.hidden_size : 2 * layer.hidden_size] = config.forget_bias


FAMILY = NetworkFamily(LSTMConfig, LSTM)

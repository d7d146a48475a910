"""The network of family lstm."""

from torch import nn

from textmill.models.lstm import LSTMConfig
from textmill.networks.recurrent import Recurrent


class LSTM(Recurrent):
    CELL = nn.LSTM
    BFLOAT16_PAYS = frozenset({"cpu"})

    def begin(self, layer: nn.RNNBase, config: LSTMConfig) -> None:
        """First weights, and how much a layer remembers at first."""
        super().begin(layer, config)
        layer.get_parameter("bias_ih_l0").data[layer.hidden_size : 2 * layer.hidden_size] = config.forget_bias

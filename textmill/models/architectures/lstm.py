"""The network of family lstm."""

from torch import nn

from textmill.models.lstm import LSTMConfig
from textmill.networks.recurrent import Recurrent


class LSTM(Recurrent):
    """Long short-term memory (Hochreiter & Schmidhuber 1997)."""

    CELL = nn.LSTM
    BFLOAT16_PAYS = frozenset({"cpu"})

    def begin(self, layer: nn.RNNBase, config: LSTMConfig) -> None:
        """Initializes a layer's weights and the bias of its forget gates."""
        super().begin(layer, config)
        layer.get_parameter("bias_ih_l0").data[layer.hidden_size : 2 * layer.hidden_size] = config.forget_bias

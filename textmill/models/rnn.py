"""A plain recurrent network (Elman 1990), in one or both directions."""

from typing import Literal

from torch import nn

from textmill.networks.recurrent import Recurrent, RecurrentConfig
from textmill.training.neural import NetworkFamily


class RNNConfig(RecurrentConfig):
    """No key of its own."""

    family: Literal["rnn"]


class RNN(Recurrent):
    CELL = nn.RNN


FAMILY = NetworkFamily(RNNConfig, RNN)

"""The network of family rnn."""

from torch import nn

from textmill.networks.recurrent import Recurrent


class RNN(Recurrent):
    """A plain recurrent network (Elman 1990)."""

    CELL = nn.RNN

"""The network of family rnn."""

from torch import nn

from textmill.networks.recurrent import Recurrent


class RNN(Recurrent):
    CELL = nn.RNN

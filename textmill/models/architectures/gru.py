"""The network of family gru."""

from torch import nn

from textmill.networks.recurrent import Recurrent


class GRU(Recurrent):
    CELL = nn.GRU

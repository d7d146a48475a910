"""The network of family gru."""

from torch import nn

from textmill.networks.recurrent import Recurrent


class GRU(Recurrent):
    """Gated recurrent units (Cho et al. 2014)."""

    CELL = nn.GRU

"""A network of gated recurrent units (Cho et al. 2014), in one or both directions."""

from typing import Literal

from torch import nn

from textmill.networks.recurrent import Recurrent, RecurrentConfig
from textmill.training.neural import NetworkFamily


class GRUConfig(RecurrentConfig):
    """No key of its own."""

    family: Literal["gru"]


class GRU(Recurrent):
    CELL = nn.GRU


FAMILY = NetworkFamily(GRUConfig, GRU)

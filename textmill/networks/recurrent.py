"""RNN, GRU and LSTM, in one or both directions, exact for every row of a padded batch."""

from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from textmill.networks.config import DropoutByPlace, RecurrentConfig
from textmill.networks.embedding import Input
from textmill.networks.layers import Network, Pool, hidden_layers, sequence_dropout, state_at, text_mask

STARTS = {"orthogonal": nn.init.orthogonal_, "identity": nn.init.eye_}


class Recurrent(Network):
    """Embedding, recurrent layers, pooling over time, classifier.

    The backward direction is a forward layer over rows that are reversed within their lengths. So no state depends on
    padding, and the fused kernels, which packed sequences cannot use, are still used.
    """

    CELL: ClassVar[type[nn.RNN | nn.GRU | nn.LSTM]]  # set by each family
    OBJECTIVE = "next"
    BODY = ("embed.weight", "ahead.0.", "behind.0.")

    def __init__(self, config: RecurrentConfig, vocabulary: int, outputs: int, max_len: int | None = None):
        super().__init__()
        directions = 2 if config.bidirectional else 1
        width, self.width = config.hidden * directions, config.hidden
        sizes = [config.embedding] + [width] * (config.layers - 1)
        dropout = DropoutByPlace.of(config.dropout)
        self.embed = Input(
            vocabulary, config.embedding, config.bigrams, config.max_norm, dropout.embedding, config.locked
        )
        self.ahead = nn.ModuleList(self.CELL(size, config.hidden) for size in sizes)
        self.behind = nn.ModuleList(self.CELL(size, config.hidden) for size in sizes if config.bidirectional)
        for layer in [
            *self.ahead,
            *self.behind,
        ]:  # independent of what follows, so that models can share a pretrained body
            self.begin(layer, config)
        self.between = sequence_dropout(dropout.layers, config.locked)
        self.pool = Pool(config.pooling, width, {"last": self.last})
        self.ends_alone = config.pooling == "last"
        self.head = hidden_layers(self.pool.width, config.head, dropout.head)
        self.classify = nn.Linear([self.pool.width, *config.head][-1], outputs)

    def begin(self, layer: nn.RNNBase, config: Any) -> None:
        """Initializes a layer's weights."""
        start(layer, config.start)

    def read(self, embedded: Tensor, lengths: Tensor) -> Tensor:
        """embedded (B, T, E), lengths (B,) -> logits (B, outputs)"""
        if self.ends_alone:  # needs one step of each direction, so states need no reordering
            outputs = self.direction_states(embedded, self.reversal_of(embedded, lengths), len(self.ahead))
            pooled = torch.cat([state_at(states.transpose(0, 1), lengths - 1) for states in outputs], 1)
        else:
            pooled = self.pool(self.states(embedded, lengths), lengths)
        return self.classify(self.head(pooled))

    def states(self, embedded: Tensor, lengths: Tensor) -> Tensor:
        """embedded (B, T, E), lengths (B,) -> states of the last layer (B, T, H * directions)"""
        return torch.cat(self.directions(embedded, lengths, len(self.ahead)), 2)

    def directions(self, embedded: Tensor, lengths: Tensor, layers: int) -> list[Tensor]:
        """Returns the states after `layers` layers, (B, T, H) for each direction.

        After one layer, neither direction depends on what the other has read.
        """
        order = self.reversal_of(embedded, lengths)
        return [
            states.transpose(0, 1) for states in in_text_order(self.direction_states(embedded, order, layers), order)
        ]

    def reversal_of(self, embedded: Tensor, lengths: Tensor) -> Tensor | None:
        """Returns the `reversal` of the rows, if they are also read backwards."""
        return reversal(lengths, embedded.shape[1]) if self.behind else None

    def direction_states(self, embedded: Tensor, order: Tensor | None, layers: int) -> list[Tensor]:
        """Returns the states after `layers` layers, (T, B, H) for each direction, in its reading order.

        Steps come first because the kernels read them so and would otherwise make a copy.
        """
        outputs = self.layer(0, embedded.transpose(0, 1).contiguous(), order)
        for number in range(1, layers):
            states = torch.cat(in_text_order(outputs, order), 2).transpose(0, 1)
            outputs = self.layer(number, self.between(states).transpose(0, 1), order)
        return outputs

    def layer(self, number: int, states: Tensor, order: Tensor | None) -> list[Tensor]:
        """Returns one layer's `direction_states` of states (T, B, W)."""
        outputs = [run_layer(self.ahead[number], states)]
        if order is not None:
            outputs.append(run_layer(self.behind[number], Reorder.apply(states, order)))
        return outputs

    def last(self, states: Tensor, lengths: Tensor) -> Tensor:
        """Returns the state after the whole text: at the last word forwards, at the first word backwards."""
        hidden = self.width
        return torch.cat([state_at(states[..., :hidden], lengths - 1), states[:, 0, hidden:]], 1)


def run_layer(cell: nn.Module, states: Tensor) -> Tensor:
    """Returns a layer's states (T, B, H) over (T, B, W), on a GPU in float32.

    There, autocast makes cuDNN's layers float16 even if bfloat16 was requested, and small gradients would become 0.
    """
    if not states.is_cuda:
        return cell(states)[0]
    with torch.autocast("cuda", enabled=False):
        return cell(states.float())[0]


def in_text_order(outputs: list[Tensor], order: Tensor | None) -> list[Tensor]:
    """Returns the states (T, B, H) of each direction in text order; `order` is a `reversal`, or None without one."""
    ahead, *behind = outputs
    return [ahead, *(Reorder.apply(states, order) for states in behind)]


def reversal(lengths: Tensor, steps: int) -> Tensor:
    """Returns the source of each step when rows are reversed within their lengths: indices (T * B,) into (T, B).

    Padding stays in place. Applying it twice restores the order.
    """
    step = torch.arange(steps, device=lengths.device).expand(len(lengths), steps)
    turned = torch.where(text_mask(lengths, steps), lengths[:, None] - 1 - step, step)  # (B, T)
    return (turned.t() * len(lengths) + torch.arange(len(lengths), device=lengths.device)).flatten()


class Reorder(torch.autograd.Function):
    """The reordering of states (T, B, H) by a `reversal`, and of their gradient.

    It copies whole rows; the gradient of `gather` would add single numbers.
    """

    @staticmethod
    def forward(ctx: Any, states: Tensor, order: Tensor) -> Tensor:
        ctx.save_for_backward(order)
        return _ordered(states, order)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (order,) = ctx.saved_tensors
        return _ordered(gradient, order), None


def _ordered(states: Tensor, places: Tensor) -> Tensor:
    return states.flatten(0, 1).index_select(0, places).view(states.shape)


def start(layer: nn.RNNBase, how: str) -> None:
    """Initializes weights: Glorot for the input, `how` for the state, zero biases.

    'orthogonal' keeps a state's length (Saxe et al. 2014); 'identity' keeps the state itself (Le et al. 2015, with
    ReLU). Each gate has its own weights: with 'identity', each unit's gate sees only that unit's state at first.
    """
    for name, weight in layer.named_parameters():
        if "bias" in name:
            nn.init.zeros_(weight)
        else:
            begin = nn.init.xavier_uniform_ if "_ih_" in name else STARTS[how]
            for gate in weight.data.split(layer.hidden_size):
                begin(gate)

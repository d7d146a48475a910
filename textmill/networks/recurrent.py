"""RNN, GRU and LSTM, in one or both directions, exact for every row of a padded batch."""

from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from textmill.networks.config import RecurrentConfig, Shares
from textmill.networks.embedding import Input
from textmill.networks.layers import Network, Pool, hidden_layers, inside, over_time, state_at

STARTS = {"orthogonal": nn.init.orthogonal_, "identity": nn.init.eye_}


class Recurrent(Network):
    """Embedding, recurrent layers, pooling over time, classifier.

    The backward direction is a forward layer over rows reversed within their lengths: no state ever sees padding, and
    the padded input keeps the fused kernels that packed sequences lose.
    """

    CELL: ClassVar[type[nn.RNN | nn.GRU | nn.LSTM]]  # a family's own
    OBJECTIVE = "next"
    BODY = ("embed.weight", "ahead.0.", "behind.0.")

    def __init__(self, config: RecurrentConfig, vocabulary: int, outputs: int, max_len: int | None = None):
        super().__init__()
        directions = 2 if config.bidirectional else 1
        width, self.width = config.hidden * directions, config.hidden
        sizes = [config.embedding] + [width] * (config.layers - 1)
        dropout = Shares.of(config.dropout)
        self.embed = Input(
            vocabulary, config.embedding, config.bigrams, config.max_norm, dropout.embedding, config.locked
        )
        self.ahead = nn.ModuleList(self.CELL(size, config.hidden) for size in sizes)
        self.behind = nn.ModuleList(self.CELL(size, config.hidden) for size in sizes if config.bidirectional)
        for layer in [*self.ahead, *self.behind]:  # whatever is above: a pretrained body serves many
            self.begin(layer, config)
        self.between = over_time(dropout.layers, config.locked)
        self.pool = Pool(config.pooling, width, {"last": self.last})
        self.ends_alone = config.pooling == "last"
        self.head = hidden_layers(self.pool.width, config.head, dropout.head)
        self.classify = nn.Linear([self.pool.width, *config.head][-1], outputs)

    def begin(self, layer: nn.RNNBase, config: Any) -> None:
        """Give a layer its first weights."""
        start(layer, config.start)

    def read(self, embedded: Tensor, lengths: Tensor) -> Tensor:
        """embedded (B, T, E), lengths (B,) -> logits (B, outputs)"""
        if self.ends_alone:  # one step of each reading: for it, no state is put into the text's order
            readings = self.readings(embedded, self.turn(embedded, lengths), len(self.ahead))
            pooled = torch.cat([state_at(states.transpose(0, 1), lengths - 1) for states in readings], 1)
        else:
            pooled = self.pool(self.states(embedded, lengths), lengths)
        return self.classify(self.head(pooled))

    def states(self, embedded: Tensor, lengths: Tensor) -> Tensor:
        """embedded (B, T, E), lengths (B,) -> states of the last layer (B, T, H * directions)"""
        return torch.cat(self.directions(embedded, lengths, len(self.ahead)), 2)

    def directions(self, embedded: Tensor, lengths: Tensor, layers: int) -> list[Tensor]:
        """The states of so many layers, (B, T, H) for each direction. In the first, none knows what the other read."""
        turn = self.turn(embedded, lengths)
        return [states.transpose(0, 1) for states in in_text_order(self.readings(embedded, turn, layers), turn)]

    def turn(self, embedded: Tensor, lengths: Tensor) -> Tensor | None:
        """How rows are reversed, if they are read backwards, too."""
        return reversal(lengths, embedded.shape[1]) if self.behind else None

    def readings(self, embedded: Tensor, turn: Tensor | None, layers: int) -> list[Tensor]:
        """The states of so many layers, (T, B, H) for each direction, in the order in which it reads.

        Steps come first, as the kernels read them: they would copy what lies row by row.
        """
        readings = self.layer(0, embedded.transpose(0, 1).contiguous(), turn)
        for number in range(1, layers):
            states = torch.cat(in_text_order(readings, turn), 2).transpose(0, 1)
            readings = self.layer(number, self.between(states).transpose(0, 1), turn)
        return readings

    def layer(self, number: int, states: Tensor, turn: Tensor | None) -> list[Tensor]:
        """A layer's `readings`, of states (T, B, W)."""
        readings = [read_by(self.ahead[number], states)]
        if turn is not None:
            readings.append(read_by(self.behind[number], Turn.apply(states, turn)))
        return readings

    def last(self, states: Tensor, lengths: Tensor) -> Tensor:
        """The state after the whole text: forwards at its last word, backwards at its first."""
        hidden = self.width
        return torch.cat([state_at(states[..., :hidden], lengths - 1), states[:, 0, hidden:]], 1)


def read_by(cell: nn.Module, states: Tensor) -> Tensor:
    """States (T, B, H) of a layer over (T, B, W), on a GPU in float32.

    There autocast makes cuDNN's layers float16, even where bfloat16 is asked for: small gradients would become 0.
    """
    if not states.is_cuda:
        return cell(states)[0]
    with torch.autocast("cuda", enabled=False):
        return cell(states.float())[0]


def in_text_order(readings: list[Tensor], turn: Tensor | None) -> list[Tensor]:
    """States (T, B, H) of each direction: those read backwards turned, where there is a `reversal`."""
    ahead, *behind = readings
    return [ahead, *(Turn.apply(states, turn) for states in behind)]


def reversal(lengths: Tensor, steps: int) -> Tensor:
    """Where each step comes from when rows are reversed within their lengths: places in (T, B) flattened, (T * B,).

    Padding stays where it is. The way back is the same.
    """
    step = torch.arange(steps, device=lengths.device).expand(len(lengths), steps)
    turned = torch.where(inside(lengths, steps), lengths[:, None] - 1 - step, step)  # (B, T)
    return (turned.t() * len(lengths) + torch.arange(len(lengths), device=lengths.device)).flatten()


class Turn(torch.autograd.Function):
    """States (T, B, H) in the order of a `reversal`, which takes the gradient back, too.

    Whole rows are copied, where the gradient of `gather` adds number by number.
    """

    @staticmethod
    def forward(ctx: Any, states: Tensor, turn: Tensor) -> Tensor:
        ctx.save_for_backward(turn)
        return _ordered(states, turn)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        (turn,) = ctx.saved_tensors
        return _ordered(gradient, turn), None


def _ordered(states: Tensor, places: Tensor) -> Tensor:
    return states.flatten(0, 1).index_select(0, places).view(states.shape)


def start(layer: nn.RNNBase, how: str) -> None:
    """Initial weights: Glorot for the input, `how` for the state, zero biases.

    'orthogonal' keeps a state's length (Saxe et al. 2014); 'identity' keeps the state itself (Le et al. 2015, there
    with ReLU). Gates have weights of their own: with 'identity' each begins by seeing its own unit's state alone.
    """
    for name, weight in layer.named_parameters():
        if "bias" in name:
            nn.init.zeros_(weight)
        else:
            begin = nn.init.xavier_uniform_ if "_ih_" in name else STARTS[how]
            for gate in weight.data.split(layer.hidden_size):
                begin(gate)

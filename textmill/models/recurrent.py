"""RNN, GRU and LSTM, in one or both directions, exact for every row of a padded batch."""

from typing import Annotated, Any, Literal

import torch
from torch import Tensor, nn

from textmill.config import Count, Positive, Section, joined
from textmill.models.inputs import Buckets, Dropout, Head, Input, Pretrain, Shares, Vectors
from textmill.models.layers import Network, Pool, hidden_layers, inside, over_time, state_at

STARTS = {"orthogonal": nn.init.orthogonal_, "identity": nn.init.eye_}


class RecurrentConfig(Section):
    """Sizes of a recurrent network."""

    family: Literal["rnn", "gru", "lstm"]
    tokenizer: str
    embedding: Count
    vectors: Vectors
    max_norm: Positive | None  # of a word's vector
    bigrams: Buckets
    hidden: Count  # units in each direction
    layers: Count
    bidirectional: bool
    start: Literal["orthogonal", "identity"]  # of the weights from state to state (Le et al. 2015: identity)
    pooling: Annotated[str, joined("last", "mean", "max", "attention")]
    dropout: Dropout  # layers: between them
    locked: bool  # one mask a document on embeddings and between layers, instead of one a step
    head: Head
    pretrain: Pretrain


class LSTMConfig(RecurrentConfig):
    """An LSTM also says how much it remembers at first."""

    family: Literal["lstm"]
    forget_bias: float  # Jozefowicz et al. 2015: 1.0


class Recurrent(Network):
    """Embedding, recurrent layers, pooling over time, classifier.

    The backward direction is a forward layer over rows reversed within their lengths: no state ever sees padding, and
    the padded input keeps the fused kernels that packed sequences lose.
    """

    BODY = ("embed.weight", "ahead.0.", "behind.0.")

    def __init__(self, config: RecurrentConfig, vocabulary: int, outputs: int, max_len: int | None = None):
        super().__init__()
        cell = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}[config.family]
        directions = 2 if config.bidirectional else 1
        width = config.hidden * directions
        sizes = [config.embedding] + [width] * (config.layers - 1)
        dropout = Shares.of(config.dropout)
        self.embed = Input(
            vocabulary, config.embedding, config.bigrams, config.max_norm, dropout.embedding, config.locked
        )
        self.ahead = nn.ModuleList(cell(size, config.hidden, batch_first=True) for size in sizes)
        self.behind = nn.ModuleList(cell(size, config.hidden) for size in sizes if config.bidirectional)
        for layer in [*self.ahead, *self.behind]:  # whatever is above: a pretrained body serves many
            start(layer, config.start, config.forget_bias if isinstance(config, LSTMConfig) else None)
        self.between = over_time(dropout.layers, config.locked)
        self.pool = Pool(config.pooling, width, {"last": self.last})
        self.head = hidden_layers(self.pool.width, config.head, dropout.head)
        self.classify = nn.Linear([self.pool.width, *config.head][-1], outputs)

    def read(self, embedded: Tensor, lengths: Tensor) -> Tensor:
        """embedded (B, T, E), lengths (B,) -> logits (B, outputs)"""
        return self.classify(self.head(self.pool(self.states(embedded, lengths), lengths)))

    def states(self, states: Tensor, lengths: Tensor) -> Tensor:
        """embedded (B, T, E), lengths (B,) -> states of the last layer (B, T, H * directions)"""
        turn = reversal(lengths, states.shape[1]) if self.behind else None
        for number in range(len(self.ahead)):
            states = torch.cat(self.layer(number, states, turn), 2)  # (B, T, H * directions)
            if number + 1 < len(self.ahead):
                states = self.between(states)
        return states

    def directions(self, embedded: Tensor, lengths: Tensor) -> list[Tensor]:
        """The first layer's states (B, T, H) of each direction: none knows what the other has read."""
        turn = reversal(lengths, embedded.shape[1]) if self.behind else None
        return self.layer(0, embedded, turn)

    def layer(self, number: int, states: Tensor, turn: tuple[Tensor, Tensor] | None) -> list[Tensor]:
        """A layer's states (B, T, H) forwards and, where there is a `reversal`, backwards."""
        outputs = [self.ahead[number](states)[0]]
        if turn is not None:
            there, back = turn
            read, _ = self.behind[number](Turn.apply(states, there, back))  # (T, B, H)
            outputs.append(Turn.apply(read, back, there))
        return outputs

    def last(self, states: Tensor, lengths: Tensor) -> Tensor:
        """The state after the whole text: forwards at its last word, backwards at its first."""
        hidden = self.ahead[0].hidden_size
        return torch.cat([state_at(states[..., :hidden], lengths - 1), states[:, 0, hidden:]], 1)


def reversal(lengths: Tensor, steps: int) -> tuple[Tensor, Tensor]:
    """Where each step comes from when rows are reversed within their lengths, and the way back: both (B * T,).

    The first is of (T, B), in places of (B, T) flattened; the second of (B, T), in places of (T, B): the kernels read
    step by step, and would copy what lies row by row. Padding stays where it is.
    """
    step = torch.arange(steps, device=lengths.device).expand(len(lengths), steps)
    turn = torch.where(inside(lengths, steps), lengths[:, None] - 1 - step, step)  # (B, T)
    row = torch.arange(len(lengths), device=lengths.device)[:, None]
    return (turn + steps * row).t().flatten(), (row + len(lengths) * turn).flatten()


class Turn(torch.autograd.Function):
    """States (B, T, H) as (T, B, H), or back, in the order of a `reversal`, whose other half takes the gradient back.

    Whole rows are copied, where the gradient of `gather` adds number by number.
    """

    @staticmethod
    def forward(ctx: Any, states: Tensor, there: Tensor, back: Tensor) -> Tensor:
        ctx.save_for_backward(back)
        return _ordered(states, there)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (back,) = ctx.saved_tensors
        return _ordered(gradient, back), None, None


def _ordered(states: Tensor, places: Tensor) -> Tensor:
    """(A, B, H) -> (B, A, H) by places in (A, B) flattened."""
    return states.flatten(0, 1).index_select(0, places).view(states.shape[1], states.shape[0], -1)


def start(layer: nn.RNNBase, how: str, forget_bias: float | None) -> None:
    """Initial weights: Glorot for the input, `how` for the state, zero biases but an LSTM's forget gate.

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
    if forget_bias is not None:
        layer.bias_ih_l0.data[layer.hidden_size : 2 * layer.hidden_size] = forget_bias

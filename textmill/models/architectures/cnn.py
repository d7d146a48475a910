"""The network of family cnn."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from textmill.models.cnn import CNNConfig
from textmill.networks.config import DropoutByPlace
from textmill.networks.embedding import Input
from textmill.networks.layers import Network, hidden_layers, text_mask


class CNN(Network):
    """Embedding, windows of every width, maximum over time, classifier.

    A window begins at each word of a document. Beyond the document's end it sees zeros, with or without padding.
    """

    def __init__(self, config: CNNConfig, vocabulary: int, outputs: int, max_len: int | None = None):
        super().__init__()
        dropout, self.widths = DropoutByPlace.of(config.dropout), config.widths
        self.embed = Input(
            vocabulary, config.embedding, config.bigrams, config.max_norm, dropout.embedding, config.locked
        )
        self.windows = nn.ModuleList(nn.Conv1d(config.embedding, config.filters, width) for width in config.widths)
        width = config.filters * len(config.widths)
        self.head = hidden_layers(width, config.head, dropout.head)
        self.classify = nn.Linear([width, *config.head][-1], outputs)

    def read(self, embedded: Tensor, lengths: Tensor) -> Tensor:
        """embedded (B, T, E), lengths (B,) -> logits (B, outputs)"""
        text = text_mask(lengths, embedded.shape[1])[:, None]  # (B, 1, T)
        states = embedded.transpose(1, 2).masked_fill(~text, 0)  # (B, E, T)
        strongest = []
        for window, width in zip(self.windows, self.widths, strict=True):
            answers = window(F.pad(states, (0, width - 1))).relu()  # (B, F, T), at the step where a window begins
            strongest.append(answers.masked_fill(~text, 0).amax(2))
        return self.classify(self.head(torch.cat(strongest, 1)))

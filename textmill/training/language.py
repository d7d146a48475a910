"""What a language model guesses: words that are next or masked, by a softmax over a sample of all words."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from textmill.networks.layers import Network
from textmill.text.ragged import PAD, SPECIALS, UNK

FLAT = 0.75  # power of a word's count in how often it is drawn (Mikolov et al. 2013)

# Of the ids, and of those what becomes UNK, another id, and itself (Devlin et al. 2019, 3.1).
MASKED, HIDDEN, SWAPPED = 0.15, 0.8, 0.1
KEPT = -1

ROWS = 512  # states whose scores are held at once on a CPU


class Guess(nn.Module):
    """Scores of words after a state: their own embeddings, which the network reads, seen through a projection.

    Both directions share it (ELMo: Peters et al. 2018). A word's bias begins as the logarithm of its share.
    counts: int (V,), how often each id occurs in the texts.
    """

    def __init__(self, hidden: int, width: int, counts: np.ndarray):
        super().__init__()
        self.project = nn.Linear(hidden, width, bias=False)
        shares = np.maximum(counts, 1) / counts.sum()
        self.bias = nn.Parameter(torch.tensor(np.log(shares), dtype=torch.float32))

    def forward(self, states: Tensor, targets: Tensor, words: Tensor, drawn: Tensor, chance: Tensor) -> Tensor:
        """Surprise of the sampled softmax: the mean over states (N, H) and targets (N,), in nats.

        words: (V, W) embeddings. drawn: (K,) different ids; chance: (K,) how likely each was among them.
        """
        return sampled_surprise(self.project(states), targets, words, self.bias, drawn, chance)


def sampled_surprise(
    states: Tensor, targets: Tensor, words: Tensor, bias: Tensor, drawn: Tensor, chance: Tensor
) -> Tensor:
    """Mean negative log-likelihood (nats) of targets (N,) under states (N, W) times words (V, W), its sum estimated.

    The sum over all words is that over the target and the drawn words, each of these divided by its chance to be drawn
    (importance sampling: Bengio & Senecal 2008; Jean et al. 2015); with every word drawn it is the softmax itself.
    """
    column = torch.full((len(words),), -1, device=drawn.device)
    column[drawn] = torch.arange(len(drawn), device=drawn.device)
    own, others = F.embedding(torch.cat([targets, drawn]), words).split([len(targets), len(drawn)])
    score = (states * own).sum(1).float() + bias[targets]  # (N,)
    return Surprise.apply(states, others, bias[drawn] - chance.log().to(bias.dtype), score, column[targets])


class Surprise(torch.autograd.Function):
    """The part of `sampled_surprise` that takes the time, with its gradient: a part of the rows after the other.

    Scores of N states and K words would go through main memory some ten times; so they stay near the processor, for a
    quarter of the time.
    """

    @staticmethod
    def forward(ctx: Any, states: Tensor, others: Tensor, offset: Tensor, score: Tensor, hit: Tensor) -> Tensor:
        """states (N, W), others (K, W), offset (K,), each target's score (N,) and its number in others, or -1 (N,)."""
        others = others.to(states.dtype)
        turned, shift = others.T.contiguous(), offset.to(states.dtype)
        to_states, to_score = torch.empty_like(states), torch.empty_like(score)
        to_others, to_offset = torch.zeros_like(others, dtype=offset.dtype), torch.zeros_like(offset)
        loss = torch.zeros((), device=states.device)
        rows = ROWS if states.device.type == "cpu" else len(states)
        for part in map(slice, range(0, len(states), rows), range(rows, len(states) + rows, rows)):
            scores = torch.addmm(shift, states[part], turned).float()  # (rows, K)
            row = (hit[part] >= 0).nonzero()[:, 0]
            scores[row, hit[part][row]] = torch.finfo(scores.dtype).min  # a target counts once
            highest = scores.amax(1, keepdim=True)
            total = scores.sub_(highest).exp_().sum(1)
            behind = total.log() + highest[:, 0] - score[part]  # how far the target lies behind the others together
            loss += F.softplus(behind).sum()
            to_score[part] = -behind.sigmoid() / len(states)
            scores *= (-to_score[part] / total)[:, None]
            to_offset += scores.sum(0)
            scores = scores.to(states.dtype)
            to_states[part] = scores @ others
            to_others += scores.T @ states[part]
        ctx.save_for_backward(to_states, to_others, to_offset, to_score)
        return loss / len(states)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        return *(part * gradient for part in ctx.saved_tensors), None


class Negatives:
    """Draws of words to compare a target with, by their counts (V,) to the power FLAT."""

    def __init__(self, counts: np.ndarray, draws: int):
        share = counts**FLAT / (counts**FLAT).sum()
        self.draws, self.ends = draws, np.cumsum(share)
        self.ends /= self.ends[-1]
        with np.errstate(divide="ignore"):  # of a text of one word
            self.chance = -np.expm1(draws * np.log1p(-share))  # to be among so many draws

    def draw(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Different ids (K,), K <= draws, and the chance that each had, float64 (K,)."""
        drawn = np.unique(np.searchsorted(self.ends, rng.random(self.draws), side="right"))
        return drawn, self.chance[drawn]


def masks(documents: int, steps: int, vocabulary: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Places to guess in ids (B, T), as many in each row, and the ids that stand there instead, or KEPT.

    Both int64 (B, M).
    """
    places = rng.random((documents, steps)).argsort(1, kind="stable")[:, : max(1, round(MASKED * steps))]
    fate = rng.random(places.shape)
    other = rng.integers(SPECIALS, vocabulary, places.shape)
    shown = np.where(fate < HIDDEN, UNK, np.where(fate < HIDDEN + SWAPPED, other, KEPT))
    return places, shown


def masked_words(network: Network, ids: Tensor, places: Tensor, shown: Tensor) -> tuple[Tensor, Tensor]:
    """States (N, W) and targets (N,) at the masked places (B, M) of whole windows (B, T) (Devlin et al. 2019)."""
    targets = ids.gather(1, places)  # (B, M)
    seen = ids.scatter(1, places, torch.where(shown == KEPT, targets, shown))
    states = network.states(_words(network, seen), _whole(ids))  # (B, T, W)
    picked = states.gather(1, places[..., None].expand(-1, -1, states.shape[2]))  # (B, M, W)
    return picked.flatten(0, 1), targets.flatten()


def next_words(network: Network, ids: Tensor) -> tuple[Tensor, Tensor]:
    """States (N, H) and targets (N,) of whole windows (B, T): forwards the word after each, backwards the one before.

    They are those of the first layer, in which no direction sees the other: above it, each would read its answer.
    """
    states = network.directions(_words(network, ids), _whole(ids), layers=1)  # (B, T, H) for each direction
    pairs = [(states[0][:, :-1], ids[:, 1:]), *((behind[:, 1:], ids[:, :-1]) for behind in states[1:])]
    return torch.cat([at.flatten(0, 1) for at, _ in pairs]), torch.cat([target.flatten() for _, target in pairs])


def vectors_of(network: Network) -> Tensor:
    """The words' own vectors (V, E)."""
    assert isinstance(network.embed, nn.Embedding)
    return network.embed.weight


def _words(network: Network, ids: Tensor) -> Tensor:
    """The words' own vectors, (B, T, E): hashed pairs of neighbours would tell a word to the one beside it."""
    return F.embedding(ids, vectors_of(network), PAD)


def _whole(ids: Tensor) -> Tensor:
    return torch.full((len(ids),), ids.shape[1], device=ids.device)

"""Language models for pretraining: they predict the next or masked words, by a softmax over a sample of all words."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from textmill.networks.layers import Network
from textmill.text.ragged import PAD, SPECIALS, UNK

FLAT = 0.75  # words are drawn in proportion to this power of their counts (Mikolov et al. 2013)

# Share of ids to mask; of these, the share that becomes UNK, and the share that becomes a random id; the rest stay
# (Devlin et al. 2019, 3.1).
MASKED, HIDDEN, SWAPPED = 0.15, 0.8, 0.1
KEPT = -1

ROWS = 512  # states whose scores are in memory at once on a CPU


class WordScores(nn.Module):
    """The output layer: scores words by a projection of the state and the network's word embeddings.

    Both directions share it (ELMo: Peters et al. 2018). A word's bias starts at the logarithm of its share.
    counts: int (V,), how often each id occurs in the texts.
    """

    def __init__(self, hidden: int, width: int, counts: np.ndarray):
        super().__init__()
        self.project = nn.Linear(hidden, width, bias=False)
        shares = np.maximum(counts, 1) / counts.sum()
        self.bias = nn.Parameter(torch.tensor(np.log(shares), dtype=torch.float32))

    def forward(self, states: Tensor, targets: Tensor, words: Tensor, drawn: Tensor, probability: Tensor) -> Tensor:
        """Returns the loss of the sampled softmax, the mean over states (N, H) and targets (N,), in nats.

        words: (V, W) embeddings. drawn: (K,) different ids; probability: (K,) the probability that each was drawn.
        """
        return sampled_loss(self.project(states), targets, words, self.bias, drawn, probability)


def sampled_loss(
    states: Tensor, targets: Tensor, words: Tensor, bias: Tensor, drawn: Tensor, probability: Tensor
) -> Tensor:
    """Returns the mean negative log-likelihood (nats) of targets (N,), from states (N, W) and words (V, W), estimated.

    The sum over all words is estimated from the target and the drawn words, each divided by its probability of being
    drawn (importance sampling: Bengio & Senecal 2008; Jean et al. 2015). With all words drawn it is the exact softmax.
    """
    column = torch.full((len(words),), -1, device=drawn.device)
    column[drawn] = torch.arange(len(drawn), device=drawn.device)
    own, others = F.embedding(torch.cat([targets, drawn]), words).split([len(targets), len(drawn)])
    score = (states * own).sum(1).float() + bias[targets]  # (N,)
    return SampledLoss.apply(states, others, bias[drawn] - probability.log().to(bias.dtype), score, column[targets])


class SampledLoss(torch.autograd.Function):
    """The slow part of `sampled_loss`, with its gradient, computed for a part of the rows at a time.

    The scores of all N states and K words would pass through main memory about ten times. Parts of them stay in the
    cache, which takes a quarter of the time.
    """

    @staticmethod
    def forward(ctx: Any, states: Tensor, others: Tensor, offset: Tensor, score: Tensor, hit: Tensor) -> Tensor:
        """states (N, W), others (K, W), offset (K,), targets' scores (N,), their index in others or -1 (N,) -> loss"""
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
            behind = total.log() + highest[:, 0] - score[part]  # the others' joint score minus the target's
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
    """Random words to compare a target with, drawn in proportion to their counts (V,) to the power FLAT."""

    def __init__(self, counts: np.ndarray, draws: int):
        share = counts**FLAT / (counts**FLAT).sum()
        self.draws, self.ends = draws, np.cumsum(share)
        self.ends /= self.ends[-1]
        with np.errstate(divide="ignore"):  # a corpus with one word
            self.probability = -np.expm1(draws * np.log1p(-share))  # probability of being among `draws` draws

    def draw(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Returns different ids (K,), K <= draws, and the probability that each was drawn, float64 (K,)."""
        drawn = np.unique(np.searchsorted(self.ends, rng.random(self.draws), side="right"))
        return drawn, self.probability[drawn]


def masks(documents: int, steps: int, vocabulary: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Returns the positions to predict in ids (B, T) and the ids to put there, or KEPT; both int64 (B, M)."""
    places = rng.random((documents, steps)).argsort(1, kind="stable")[:, : max(1, round(MASKED * steps))]
    fate = rng.random(places.shape)
    other = rng.integers(SPECIALS, vocabulary, places.shape)
    shown = np.where(fate < HIDDEN, UNK, np.where(fate < HIDDEN + SWAPPED, other, KEPT))
    return places, shown


def masked_words(network: Network, ids: Tensor, places: Tensor, shown: Tensor) -> tuple[Tensor, Tensor]:
    """Returns states (N, W) and targets (N,) at the masked positions (B, M) of windows (B, T) (Devlin et al. 2019)."""
    targets = ids.gather(1, places)  # (B, M)
    seen = ids.scatter(1, places, torch.where(shown == KEPT, targets, shown))
    states = network.states(_words(network, seen), _whole(ids))  # (B, T, W)
    picked = states.gather(1, places[..., None].expand(-1, -1, states.shape[2]))  # (B, M, W)
    return picked.flatten(0, 1), targets.flatten()


def next_words(network: Network, ids: Tensor) -> tuple[Tensor, Tensor]:
    """Returns states (N, H) and targets (N,) of windows (B, T): the next word forwards, the previous one backwards.

    The states are those of the first layer. In a higher layer each direction would see its target through the other.
    """
    states = network.directions(_words(network, ids), _whole(ids), layers=1)  # (B, T, H) for each direction
    pairs = [(states[0][:, :-1], ids[:, 1:]), *((behind[:, 1:], ids[:, :-1]) for behind in states[1:])]
    return torch.cat([at.flatten(0, 1) for at, _ in pairs]), torch.cat([target.flatten() for _, target in pairs])


def vectors_of(network: Network) -> Tensor:
    """Returns the word vectors (V, E)."""
    assert isinstance(network.embed, nn.Embedding)
    return network.embed.weight


def _words(network: Network, ids: Tensor) -> Tensor:
    """Returns the word vectors of ids (B, T, E), without hashed pairs, which would reveal a word to its neighbour."""
    return F.embedding(ids, vectors_of(network), PAD)


def _whole(ids: Tensor) -> Tensor:
    return torch.full((len(ids),), ids.shape[1], device=ids.device)

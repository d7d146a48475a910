"""Integrated gradients (Sundararajan et al. 2017): a network's score, followed from nothing to the text."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

    from textmill.models.neural import Neural

STEPS = 64  # points on the line: on film reviews the sum misses 0.02 of the log-odds at most; with 32, 0.04


def gradients(model: "Neural", ids: np.ndarray, label: int) -> tuple[np.ndarray, float]:
    """What each id adds to the label's log-odds, float64 (T,) of ids (T,), and the log-odds of zero embeddings.

    The gradients along the straight line from zero embeddings to those of the text, at the middles of STEPS equal
    parts; positions, and the frame of an encoder, stay as they are. Both together give the text's log-odds, as nearly
    as the steps follow the line.
    """
    import torch

    network, size = model.network.eval(), max(1, model.settings.batch_tokens // len(ids))
    device = next(network.parameters()).device
    with torch.no_grad():
        embedded = network.embed(torch.from_numpy(ids.astype(np.int64)).to(device)[None])  # (1, T, E)
    middles = (torch.arange(STEPS, device=device) + 0.5) / STEPS
    scores, slopes = [], []
    for shares in [torch.zeros(1, device=device), *middles.split(size)]:
        points = (embedded * shares[:, None, None]).requires_grad_()  # (S, T, E)
        with torch.enable_grad(), torch.backends.cudnn.flags(enabled=False):  # its recurrent layers only train
            logits = network.read(points, torch.full((len(shares),), len(ids), device=device))
            score = log_odds(logits.float(), label)  # (S,)
            (slope,) = torch.autograd.grad(score.sum(), points)
        scores.append(float(score[0].detach()))
        slopes.append(slope.double().sum(0))  # (T, E)
    added = (sum(slopes[1:]) / STEPS * embedded[0]).sum(1)
    return added.cpu().numpy(), scores[0]


def log_odds(logits: "Tensor", label: int) -> "Tensor":
    """Log-odds of a class against all others, (B,) of logits (B, C), or (B, 1) where one means the second class."""
    import torch

    if logits.shape[1] == 1:
        return logits[:, 0] * (2 * label - 1)
    others = [number for number in range(logits.shape[1]) if number != label]
    return logits[:, label] - torch.logsumexp(logits[:, others], 1)

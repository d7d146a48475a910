"""Integrated gradients (Sundararajan et al. 2017): follows a network's score from zero embeddings to the text."""

from typing import TYPE_CHECKING, cast

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

    from textmill.training.calibration import Calibrated
    from textmill.training.neural import Neural

MISS = 0.02  # log-odds by which the sum may miss the score; beyond it, more points are taken
STEPS = (64, 512, 2048)  # points on the line; for film reviews the first number is enough


def gradients(calibrated: "Calibrated", ids: np.ndarray, label: int) -> tuple[np.ndarray, float]:
    """Returns what each id adds to the label's log-odds, float64 (T,) of ids (T,), and the log-odds of zero embeddings.

    Takes gradients along the straight line from zero embeddings to those of the text, at the midpoints of equal parts.
    Positions, and the frame of an encoder, stay as they are. Attributions and start add up to the text's log-odds,
    within MISS if the largest of STEPS suffices; a score with jumps needs many.
    """
    import torch

    model = cast("Neural", calibrated.model)
    network, size = model.network.eval(), max(1, model.settings.batch_tokens // len(ids))
    device = next(network.parameters()).device
    with torch.no_grad():
        embedded = network.embed(torch.from_numpy(ids.astype(np.int64)).to(device)[None])  # (1, T, E)

    def along(shares: "Tensor") -> "tuple[np.ndarray, Tensor]":
        """Returns scores (S,) at points of the line, and the sum of their gradients (T, E)."""
        scores, slopes = [], torch.zeros_like(embedded[0], dtype=torch.float64)
        for part in shares.to(device).split(size):
            points = (embedded * part[:, None, None]).requires_grad_()  # (S, T, E)
            with torch.enable_grad(), torch.backends.cudnn.flags(enabled=False):  # its recurrent layers need train mode
                logits = network.read(points, torch.full((len(part),), len(ids), device=device))
                score = log_odds(logits.float() / calibrated.temperature, label)  # (S,)
                (slope,) = torch.autograd.grad(score.sum(), points)
            scores.append(score.detach().cpu().numpy())
            slopes += slope.double().sum(0)
        return np.concatenate(scores), slopes

    nothing, text = along(torch.tensor([0.0, 1.0]))[0].tolist()
    for steps in STEPS:
        slopes = along((torch.arange(steps) + 0.5) / steps)[1]
        added = (slopes / steps * embedded[0]).sum(1).cpu().numpy()
        if abs(nothing + added.sum() - text) <= MISS:
            break
    return added, nothing


def log_odds(logits: "Tensor", label: int) -> "Tensor":
    """Returns log-odds of a class against all others, (B,), of logits (B, C), or (B, 1) for the second of two."""
    import torch

    if logits.shape[1] == 1:
        return logits[:, 0] * (2 * label - 1)
    others = [number for number in range(logits.shape[1]) if number != label]
    return logits[:, label] - torch.logsumexp(logits[:, others], 1)

"""Leaving out: how much less sure is the model without a token? (Zeiler & Fergus 2014; Li et al. 2016)"""

import numpy as np

from textmill.text.ragged import Ragged
from textmill.training.calibration import Calibrated

EVALUATIONS = 512  # texts that are scored for one explanation, at most, besides the text itself
LEAST = 1e-30  # a probability that vanishes still has a logarithm


def occlusion(model: Calibrated, ids: np.ndarray, label: int) -> tuple[np.ndarray, None]:
    """By how much the label's log-odds fall when each id is left out, float64 (T,), of ids (T,).

    It is left out and not replaced by UNK: to a model of sub-words UNK is a stranger, which no training text held.
    Longer texts lose spans of equal length, whose ids share what the span is worth.
    """
    span = -(-len(ids) // EVALUATIONS)
    starts = np.arange(0, len(ids), span)
    left = [ids, *(np.delete(ids, slice(start, start + span)) for start in starts)]
    docs = Ragged.of(np.concatenate(left), np.array([len(some) for some in left]))
    scores = log_odds(model.predict_proba(docs), label)
    sizes = np.diff(np.append(starts, len(ids)))
    return np.repeat((scores[0] - scores[1:]) / sizes, sizes), None


def log_odds(probabilities: np.ndarray, label: int) -> np.ndarray:
    """Log of a class's probability against all others together: float64 (N,) of (N, C)."""
    others = np.delete(probabilities, label, axis=1).astype(np.float64).sum(1)
    return np.log(np.maximum(probabilities[:, label], LEAST)) - np.log(np.maximum(others, LEAST))

"""Occlusion: how much less confident a model is without a token (Zeiler & Fergus 2014; Li et al. 2016)."""

import numpy as np

from textmill.text.ragged import Ragged
from textmill.training.calibration import Calibrated

EVALUATIONS = 512  # texts scored for one explanation, at most, besides the text itself
LEAST = 1e-30  # a floor, because a probability of 0 has no logarithm


def occlusion(model: Calibrated, ids: np.ndarray, label: int) -> tuple[np.ndarray, None]:
    """Returns how much the label's log-odds fall when each id is left out, float64 (T,), of ids (T,).

    Ids are left out, not replaced by UNK, which models of subwords never saw in training. Longer texts lose spans of
    equal length, and the ids of a span share its effect.
    """
    span = -(-len(ids) // EVALUATIONS)
    starts = np.arange(0, len(ids), span)
    left = [ids, *(np.delete(ids, slice(start, start + span)) for start in starts)]
    docs = Ragged.of(np.concatenate(left), np.array([len(some) for some in left]))
    scores = log_odds(model.predict_proba(docs), label)
    sizes = np.diff(np.append(starts, len(ids)))
    return np.repeat((scores[0] - scores[1:]) / sizes, sizes), None


def log_odds(probabilities: np.ndarray, label: int) -> np.ndarray:
    """Returns the log-odds of a class against all others: float64 (N,) of (N, C)."""
    others = np.delete(probabilities, label, axis=1).astype(np.float64).sum(1)
    return np.log(np.maximum(probabilities[:, label], LEAST)) - np.log(np.maximum(others, LEAST))

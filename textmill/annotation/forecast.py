"""A forecast of the score with more training documents, which extends a learning curve.

The error is assumed to fall as b n^-c over the largest sizes; no simple law fits all sizes. Half the difference from a
fit that is linear in log n widens the interval. `demos/more_labels.py` measures how often the interval holds.
"""

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

from textmill.records.curve import Forecast, Size

LAST = 3  # sizes to fit


def forecast(sizes: Sequence[Size], times: int, alpha: float) -> Forecast | str:
    """Returns the score expected with `times` as many documents as the last size, with an interval of about 1 - alpha.

    sizes: ascending, at least LAST, several draws each except for the last.
    If no forecast is possible, returns one line that says why.
    """
    last = sizes[-LAST:]
    x = np.log([size.rows / last[-1].rows for size in last])
    at = float(np.log(times))
    errors = 1 - np.array([size.mean for size in last])
    if errors.min() <= 0:
        return "no error is left that could fall"
    if all(len(size.scores) < 2 for size in sizes[:-1]):
        return "the parts of train could be drawn once only"
    slope, level = np.polyfit(x, np.log(errors), 1)
    if slope > -1e-6:
        return "the score does not grow with the documents"
    error, linear = float(np.exp(level + slope * at)), float(np.polyval(np.polyfit(x, errors, 1), at))
    margin = NormalDist().inv_cdf(1 - alpha / 2) * _deviation(sizes, x, at) + abs(error - linear) / 2
    ends = [min(max(1 - one, 0.0), 1.0) for one in (error, error + margin, error - margin)]
    score, low, high = (round(one, 6) for one in ends)
    return Forecast(times=times, score=score, low=low, high=high)


def _deviation(sizes: Sequence[Size], x: np.ndarray, at: float) -> float:
    """Returns the standard error of the forecast, including the randomness of the documents to come.

    x: log of the last sizes, as shares of all documents; at: log of the forecast's multiple.
    Draws from the available documents vary less than draws from the population: with a share f of the documents they
    have 1 - f of the whole variance, and their mean over D draws has f + (1 - f) / D. The whole variance is
    proportional to 1 / n, so every size gives an estimate of it for the last. That sizes share documents is ignored,
    which makes the interval wider.
    """
    shares = [(size, size.rows / sizes[-1].rows) for size in sizes if len(size.scores) > 1]
    one = float(np.mean([np.var(size.scores, ddof=1) * f / (1 - f) for size, f in shares]))
    f, draws = np.exp(x), np.array([len(size.scores) for size in sizes[-len(x) :]])
    of_mean = one / f * (f + (1 - f) / draws)
    centred = x - x.mean()
    pull = 1 / len(x) + (at - x.mean()) * centred / (centred**2).sum()  # weight of each size in the forecast
    return float(np.sqrt((pull**2 * of_mean).sum() + one / np.exp(at)))

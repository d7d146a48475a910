"""What more training documents would bring: the end of a learning curve, carried on.

The error is taken to fall as b n^-c over the largest sizes: over all of them no simple law holds. Half of what lies
between that and a fit that is linear in log n widens the interval, and `demos/more_labels.py` measures how often it
holds.
"""

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

from textmill.records.curve import Forecast, Size

LAST = 3  # sizes that are fitted


def forecast(sizes: Sequence[Size], times: int, alpha: float) -> Forecast | str:
    """The score with `times` as many documents as the last size has, in an interval of about 1 - alpha.

    sizes: ascending, LAST at least, those before the last with several draws each.
    A line instead, which says why there is none, if the score does not grow.
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
    """Standard error of the forecast, the luck of the documents to come included.

    x: log of the last sizes, as shares of all; at: log of what is forecast. Draws from what there is differ less than
    draws from all that there might be: of a share f of the documents they have 1 - f of the whole variance, and their
    mean over D draws has f + (1 - f) / D. The whole variance goes with 1 / n, so that all sizes tell that of the last.
    That sizes share documents is left out, which errs on the wide side.
    """
    shares = [(size, size.rows / sizes[-1].rows) for size in sizes if len(size.scores) > 1]
    one = float(np.mean([np.var(size.scores, ddof=1) * f / (1 - f) for size, f in shares]))
    f, draws = np.exp(x), np.array([len(size.scores) for size in sizes[-len(x) :]])
    of_mean = one / f * (f + (1 - f) / draws)
    centred = x - x.mean()
    pull = 1 / len(x) + (at - x.mean()) * centred / (centred**2).sum()  # of each size on the forecast
    return float(np.sqrt((pull**2 * of_mean).sum() + one / np.exp(at)))

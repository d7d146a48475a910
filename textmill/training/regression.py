"""Logistic regression on n-grams, by scikit-learn."""

import warnings
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from textmill.records.fit import Solver
from textmill.text.ngrams import Counts

if TYPE_CHECKING:
    from scipy.sparse import csr_array
    from sklearn.linear_model import LogisticRegression

ITERATIONS = 1000  # of a solver that gets nearer with each; the dual one may go in circles for longer than that


class Optimum(NamedTuple):
    """Weights (R, F) and biases (R,), one row for two classes, and how they were found."""

    weights: np.ndarray
    bias: np.ndarray
    solver: Solver


def log_count_ratio(present: Counts, target: np.ndarray) -> np.ndarray:
    """Log of how much more often a feature stands in the class than outside, (F,) (Wang & Manning 2012, eq. 2)."""
    inside = np.bincount(present.columns, target[present.rows], minlength=present.shape[1])
    outside = 1 + present.per_column() - inside
    inside += 1
    return np.log((inside / inside.sum()) / (outside / outside.sum()))


def regression(features: Counts, target: np.ndarray, c: float, seed: int) -> Optimum:
    """The L2-penalised logistic regression of a target (N,); nothing warns if its optimum was not reached."""
    from scipy.sparse import csc_array
    from sklearn.linear_model import LogisticRegression

    ends = np.cumsum([0, *features.per_column()], dtype=np.int32)  # liblinear wants 32 bits
    table = csc_array((features.data, features.rows, ends), shape=features.shape).tocsr()
    if len(np.unique(target)) != 2:  # liblinear knows two classes only
        return _optimum(LogisticRegression(C=c, max_iter=ITERATIONS), table, target)
    # Where features outnumber documents, liblinear's dual takes a fraction of the others' time, but for a rare class:
    # one of forty took 2,000 iterations and 7 seconds, and the primal 14 and 0.1 to the same optimum.
    found = _optimum(LogisticRegression(C=c, solver="liblinear", dual=True, random_state=seed), table, target)
    if found.solver.converged:
        return found
    return _optimum(LogisticRegression(C=c, solver="liblinear", max_iter=ITERATIONS), table, target)


def _optimum(model: "LogisticRegression", table: "csr_array", target: np.ndarray) -> Optimum:
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        model.fit(table, target)
    iterations = int(model.n_iter_.max())
    return Optimum(model.coef_, model.intercept_, Solver(iterations=iterations, converged=iterations < model.max_iter))

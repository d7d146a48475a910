"""Logistic regression on n-grams, with scikit-learn."""

import warnings
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from textmill.records.fit import Solver
from textmill.text.ngrams import Counts

if TYPE_CHECKING:
    from scipy.sparse import csr_array
    from sklearn.linear_model import LogisticRegression

ITERATIONS = 1000  # at most, for solvers that improve with each; the dual solver may not converge in that many


class Optimum(NamedTuple):
    """Weights (R, F) and biases (R,), with one row for two classes, and the solver's result."""

    weights: np.ndarray
    bias: np.ndarray
    solver: Solver


def log_count_ratio(present: Counts, target: np.ndarray) -> np.ndarray:
    """Returns the log of how much more frequent each feature is in the class, (F,) (Wang & Manning 2012, eq. 2)."""
    inside = np.bincount(present.columns, target[present.rows], minlength=present.shape[1])
    outside = 1 + present.per_column() - inside
    inside += 1
    return np.log((inside / inside.sum()) / (outside / outside.sum()))


def regression(features: Counts, target: np.ndarray, c: float, seed: int) -> Optimum:
    """Fits an L2-penalised logistic regression to a target (N,), without a warning if it did not converge."""
    from scipy.sparse import csc_array
    from sklearn.linear_model import LogisticRegression

    ends = np.cumsum([0, *features.per_column()], dtype=np.int32)  # liblinear needs 32 bits
    table = csc_array((features.data, features.rows, ends), shape=features.shape).tocsr()
    if len(np.unique(target)) != 2:  # liblinear supports two classes only
        return _optimum(LogisticRegression(C=c, max_iter=ITERATIONS), table, target)
    # With more features than documents, liblinear's dual solver is by far the fastest, except for a rare class: one of
    # forty took it 2,000 iterations and 7 seconds; the primal solver took 14 and 0.1 s to the same optimum.
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

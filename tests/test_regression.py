"""The solvers of linear models."""

import warnings

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from textmill.records.fit import Solver
from textmill.text.ngrams import Counts
from textmill.training.regression import log_count_ratio, regression


def sparse(table: np.ndarray) -> Counts:
    columns, rows = np.nonzero(table.T)
    return Counts(table[rows, columns], rows.astype(np.int32), columns.astype(np.int32), table.shape)


def test_log_count_ratios_by_hand():
    present = sparse(np.array([[1.0, 0], [1, 1], [0, 1]]))
    ratio = log_count_ratio(present, np.array([True, True, False]))
    assert ratio == pytest.approx([np.log((3 / 5) / (1 / 3)), np.log((2 / 5) / (2 / 3))])


@pytest.mark.parametrize(("rare", "c"), [(False, 1.0), (True, 50.0)])
def test_regression_converges_and_warns_of_nothing(rare, c, recwarn):
    random = np.random.default_rng(0)
    features = random.random((400, 60)) < 0.1
    target = random.random(400) < (0.03 if rare else 0.5)
    scale = np.where(np.arange(60) % 2, 6.0, -6.0) if rare else np.ones(60)  # log-count ratios of a rare class
    found = regression(sparse(features * scale), target, c, 0)
    assert found.solver.converged
    assert not recwarn.list
    exact = LogisticRegression(C=c, solver="liblinear", tol=1e-8, max_iter=10_000).fit(features * scale, target)
    np.testing.assert_allclose(found.weights, exact.coef_, rtol=0.05, atol=0.05)
    dual = LogisticRegression(C=c, solver="liblinear", dual=True, random_state=0)
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        dual.fit(csr_array(features * scale), target)
    assert (dual.n_iter_[0] == 100) == rare  # the rare class needs the other solver
    assert (dual.coef_ == found.weights).all() != rare  # and the others give the same bytes as before


@pytest.mark.parametrize("classes", [2, 3])
def test_an_optimum_that_was_not_reached_is_told_and_not_warned_of(classes, monkeypatch, recwarn):
    monkeypatch.setattr("textmill.training.regression.ITERATIONS", 2)
    features = np.random.default_rng(0).normal(size=(80, 5))
    found = regression(sparse(features), np.arange(80) % classes, 1e4, 0)
    assert found.solver == Solver(iterations=2, converged=False)
    assert not recwarn.list


def test_regression_is_the_same_optimum_by_either_solver():
    features = np.random.default_rng(0).normal(size=(80, 5))
    target = features[:, 0] > 0
    ours = regression(sparse(features), target, 1.0, 0).weights
    theirs = LogisticRegression(C=1.0, max_iter=1000).fit(features, target).coef_
    np.testing.assert_allclose(ours, theirs, rtol=0.05, atol=0.02)

"""What linear models are fitted by."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from textmill.text.ngrams import Counts
from textmill.training.regression import log_count_ratio, regression


def sparse(table: np.ndarray) -> Counts:
    columns, rows = np.nonzero(table.T)
    return Counts(table[rows, columns], rows.astype(np.int32), columns.astype(np.int32), table.shape)


def test_log_count_ratios_by_hand():
    present = sparse(np.array([[1.0, 0], [1, 1], [0, 1]]))
    ratio = log_count_ratio(present, np.array([True, True, False]))
    assert ratio == pytest.approx([np.log((3 / 5) / (1 / 3)), np.log((2 / 5) / (2 / 3))])


def test_regression_is_the_same_optimum_by_either_solver():
    features = np.random.default_rng(0).normal(size=(80, 5))
    target = features[:, 0] > 0
    ours = regression(sparse(features), target, 1.0, 0).weights
    theirs = LogisticRegression(C=1.0, max_iter=1000).fit(features, target).coef_
    np.testing.assert_allclose(ours, theirs, rtol=0.05, atol=0.02)

"""Logistic regression on n-grams, by scikit-learn."""

import numpy as np

from textmill.text.ngrams import Counts


def log_count_ratio(present: Counts, target: np.ndarray) -> np.ndarray:
    """Log of how much more often a feature stands in the class than outside, (F,) (Wang & Manning 2012, eq. 2)."""
    inside = np.bincount(present.columns, target[present.rows], minlength=present.shape[1])
    outside = 1 + present.per_column() - inside
    inside += 1
    return np.log((inside / inside.sum()) / (outside / outside.sum()))


def regression(features: Counts, target: np.ndarray, c: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Weights (R, F) and biases (R,) of an L2-penalised logistic regression; two classes have one row."""
    from scipy.sparse import csc_array
    from sklearn.linear_model import LogisticRegression

    ends = np.cumsum([0, *features.per_column()], dtype=np.int32)  # liblinear wants 32 bits
    table = csc_array((features.data, features.rows, ends), shape=features.shape).tocsr()
    two = len(np.unique(target)) == 2
    # liblinear's dual takes a fraction of lbfgs's time where features outnumber documents; it knows two classes only.
    model = (
        LogisticRegression(C=c, solver="liblinear", dual=True, random_state=seed)
        if two
        else LogisticRegression(C=c, max_iter=1000)
    )
    model.fit(table, target)
    return model.coef_, model.intercept_

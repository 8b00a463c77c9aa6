# SPDX-License-Identifier: MIT
"""`cluster` as a scikit-learn estimator. A module of its own, since scikit-learn takes a second to load."""
from __future__ import annotations

from typing import Any

import numpy as np

from .clustering import cluster

try:
    from sklearn.base import BaseEstimator, ClusterMixin
except ImportError:  # then it works without scikit-learn's tools around it
    class BaseEstimator:  # type: ignore[no-redef]
        pass

    class ClusterMixin:  # type: ignore[no-redef]
        pass


class CDP(ClusterMixin, BaseEstimator):
    """`cluster` as a scikit-learn estimator: CDP().fit_predict(X).

    Attributes after fit: labels_, pairs_, found_ (see Clustering), n_features_in_.
    Rows of zeros have no cosine: they are in no cluster (-1).
    """

    def __init__(self, k: int = 80, *, false_alarms: float = 0, threads: int = 0):
        self.k = k
        self.false_alarms = false_alarms
        self.threads = threads

    def fit(self, X: Any, y: Any = None) -> "CDP":
        """Clusters the rows of X; y is ignored."""
        if hasattr(self, "_validate_data"):
            X = self._validate_data(X, dtype=[np.float32, np.float64], ensure_min_samples=2)
        else:
            X = np.asarray(X)
            self.n_features_in_ = X.shape[1]
        some = np.flatnonzero(X.any(axis=1))
        self.labels_ = np.full(len(X), -1, np.int64)
        self.pairs_ = self.found_ = None
        if len(some) > 1:
            found = cluster(X[some] if len(some) < len(X) else X, self.k,
                            false_alarms=self.false_alarms, threads=self.threads)
            self.labels_[some], self.pairs_, self.found_ = found.labels, found.pairs, found.found
        return self

    def fit_predict(self, X: Any, y: Any = None) -> np.ndarray:
        """Clusters the rows of X and returns their labels."""
        return self.fit(X).labels_

# SPDX-License-Identifier: MIT
"""From features to clusters in one call, and the same as a scikit-learn estimator."""
from __future__ import annotations

from typing import Any, NamedTuple, Optional, Sequence, Union

import numpy as np

from . import _library as lib
from . import stages
from .edges import Edges

try:
    from sklearn.base import BaseEstimator, ClusterMixin
    from sklearn.utils.validation import check_array
except ImportError:  # the estimator then works without scikit-learn's tools around it
    BaseEstimator = ClusterMixin = object
    check_array = None


class Clustering(NamedTuple):
    """What `cluster` returns."""
    labels: np.ndarray            # a number for each item, -1 in no cluster
    pairs: Edges                  # scored by the probability that they are true
    found: stages.Consensus       # what the choice of a threshold rests on


def cluster(features: Any, k: int = 80, *, false_alarms: float = 0, must_link: Any = None,
            cannot_link: Any = None, previous: Any = None, threads: int = 0,
            progress: stages.Progress = None) -> Clustering:
    """Clusters features without labels and without a threshold, as cdp-cluster(1) does.

    features: an array of a row for each item, or a list of arrays, one of each model, of the same
    items in the same order (rows x dim; dims may differ). k: neighbours of an item that are looked
    at, fewer if there are fewer rows. must_link, cannot_link: n x 2 item numbers. previous:
    earlier labels of the same items, whose numbers clusters keep.
    """
    models = list(features) if isinstance(features, (list, tuple)) and np.ndim(features[0]) == 2 \
        else [features]
    rows = len(models[0])
    if any(len(model) != rows for model in models):
        raise ValueError(f"models of {', '.join(str(len(model)) for model in models)} rows: "
                         "expected the same items in all")
    lists = [stages.knn(model, max(1, min(k, rows - 1)), threads=threads, progress=progress)
             for model in models]
    pairs, found = stages.consensus(models, lists, false_alarms=false_alarms, threads=threads,
                                    progress=progress)
    labels = stages.propagate(pairs, method="map", must_link=must_link, cannot_link=cannot_link,
                              threads=threads, progress=progress)
    if previous is not None:
        labels = stages.keep_numbers(previous, labels)
    return Clustering(labels, pairs, found)


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
        if check_array is not None:
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

# SPDX-License-Identifier: MIT
"""From features to clusters in one call."""
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from . import stages
from .edges import Edges


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

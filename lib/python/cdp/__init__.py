# SPDX-License-Identifier: MIT
"""cdp: clustering by Consensus-Driven Propagation, over the shared library libcdp.

    import cdp
    labels = cdp.cluster(X).labels                     # features, or a list of several models'
    labels = cdp.propagate(cdp.pairs(i, j, score), method="map")
    cdp.evaluate(labels, truth)["kept"]["pairwise_fscore"]

    cdp.CDP().fit_predict(X)                           # a scikit-learn estimator

The stages one by one: knn, vote, pair_features, consensus, truth, Mediator, propagate, forest,
linkage, sweep, keep_numbers, evaluate, baseline. Their edges are numpy arrays (Edges), to and from
scipy.sparse, pandas and edge streams. Long computations take progress=True or a function, and end
by Ctrl-C.
"""
from ._library import Error
from .clustering import Clustering, cluster
from .edges import (Edges, labels_frame, lists, pairs, pairs_from_frame, pairs_from_scipy,
                    read_stream, write_stream)
from .stages import (Consensus, Mediator, ResultWarning, baseline, baseline_tree, consensus,
                     evaluate, forest, keep_numbers, knn, linkage, pair_features, propagate, sweep,
                     truth, vote)

__version__ = "0.1.0"
__all__ = ["CDP", "Clustering", "Consensus", "Edges", "Error", "Mediator", "ResultWarning",
           "baseline", "baseline_tree", "cluster", "consensus", "evaluate", "forest",
           "keep_numbers", "knn", "labels_frame", "linkage", "lists", "pair_features", "pairs",
           "pairs_from_frame", "pairs_from_scipy", "propagate", "read_stream", "sweep", "truth",
           "vote", "write_stream"]


def __getattr__(name: str):
    if name == "CDP":
        from .estimator import CDP
        return CDP
    raise AttributeError(f"module 'cdp' has no attribute {name!r}")

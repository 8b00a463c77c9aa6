#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tutorial.py [FOLDER]: a walk through the package on the small data set of the repository, 440 items by three models."""
# %% Data: a row for each item, from each model; and the true labels, to see how good the clusters are
import sys
from pathlib import Path

import numpy as np

import cdp

folder = Path(sys.argv[1] if sys.argv[1:] else "data/labeled/tiny")
models = [np.fromfile(folder / f"features/m{m}.bin", "<f4").reshape(-1, 48) for m in range(3)]
truth = np.loadtxt(folder / "meta.txt", dtype=int)


def show(what, labels):
    """The pairwise F, each item in no cluster as a cluster of its own."""
    print(f"{what}: {labels.max() + 1} clusters, F {100 * cdp.evaluate(labels, truth)['kept']['pairwise_fscore']:.1f}")


# %% One call: no labels, no threshold to choose
clustering = cdp.cluster(models, k=40)
show("all models", clustering.labels)
print(f"expected: {clustering.found.partners:.0f} true pairs of an item; "
      f"{'strong' if clustering.found.strength >= 1 else 'weak'} models")

# %% The same, stage by stage: neighbours, scored pairs, clusters
lists = [cdp.knn(x, k=40) for x in models]
pairs, found = cdp.consensus(models, lists)
labels = cdp.propagate(pairs, method="map")
assert np.array_equal(labels, clustering.labels)

# %% The original's way: neighbours that enough models agree on, cut by size
votes = cdp.vote([cdp.knn(x, k=14) for x in models], accept=2, threshold=0.3)
show("votes", cdp.propagate(votes, max_size=60))
for row in cdp.sweep(votes, (0.3, 0.7, 0.1), max_sizes=[60], truth=truth):
    print(f"  threshold {row['threshold']:.1f}: {row['clusters']} clusters, F {100 * row['fscore']:.1f}")

# %% What a person knows: items 0 and 1 are the same, 0 and 400 are not
corrected = cdp.propagate(pairs, method="map", must_link=[[0, 1]], cannot_link=[[0, 400]])
assert corrected[0] == corrected[1] != corrected[400]

# %% Neighbours and pairs are numpy arrays, and go to other libraries without a copy
print(lists[0], lists[0].target.dtype, lists[0].values[:3].round(3))

# %% Streams: the command-line tools read and write the same
cdp.write_stream(pairs, "pairs.cdp")
assert np.array_equal(cdp.read_stream("pairs.cdp").values, pairs.values)

# %% Other methods, on the same data
show("HDBSCAN", cdp.baseline("hdbscan", models[0], min_cluster_size=5, min_samples=5))
show("k-means", cdp.baseline("kmeans", models[0], clusters=22))

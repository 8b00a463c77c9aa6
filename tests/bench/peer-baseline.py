#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""peer-baseline.py METHOD FILE DIM [CLUSTERS] >LABELS: a method of cdp-baseline by scikit-learn or fastcluster (Debian:
python3-sklearn, python3-fastcluster), with the parameters of cdp-baseline, on rows of raw float32. Prints its time on standard error,
without that of reading."""
import os
import sys
import time

import numpy

method, file, dim = sys.argv[1], sys.argv[2], int(sys.argv[3])
clusters = int(sys.argv[4]) if len(sys.argv) > 4 else 0
rows = numpy.fromfile(file, "<f4").reshape(-1, dim)
rows /= numpy.linalg.norm(rows, axis=1, keepdims=True)
jobs = len(os.sched_getaffinity(0))


def kmeans():
    from sklearn.cluster import KMeans
    return KMeans(clusters, n_init=1, random_state=1).fit_predict(rows)


def minibatch():
    from sklearn.cluster import MiniBatchKMeans
    return MiniBatchKMeans(clusters, n_init=1, random_state=1).fit_predict(rows)


def dbscan():
    from sklearn.cluster import DBSCAN
    return DBSCAN(eps=0.75, min_samples=10, n_jobs=jobs).fit_predict(rows)


def ward():
    from sklearn.cluster import AgglomerativeClustering
    from sklearn.neighbors import kneighbors_graph
    graph = kneighbors_graph(rows, 30, n_jobs=jobs)
    return AgglomerativeClustering(clusters, connectivity=graph, linkage="ward").fit_predict(rows)


def single():
    from fastcluster import linkage_vector
    from scipy.cluster.hierarchy import fcluster
    return fcluster(linkage_vector(rows.astype("f8"), "single"), 0.7, "distance")


def spectral():
    from sklearn.cluster import SpectralClustering
    return SpectralClustering(clusters, affinity="nearest_neighbors", assign_labels="discretize", n_jobs=jobs,
                              random_state=1).fit_predict(rows)


begun, processor = time.time(), time.process_time()
labels = {f.__name__: f for f in (kmeans, minibatch, dbscan, ward, single, spectral)}[method]()
print(f"{method}: {time.time() - begun:.1f} s, {time.process_time() - processor:.1f} s of CPU time", file=sys.stderr)
print("\n".join(map(str, labels)))

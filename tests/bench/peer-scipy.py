#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""peer-scipy.py PAIRS.npy SCORES.npy ITEMS [MAX_SIZE [STEP [MAX_ITER]]]: prints the labels of cdp-propagate, one a
line, computed round by round with scipy's connected_components (Debian: python3-scipy)."""
import sys
import time

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

begun = time.time()
pairs, score = np.load(sys.argv[1], mmap_mode="r"), np.load(sys.argv[2]).astype(np.float64)
items = int(sys.argv[3])
max_size, step, max_iter = (kind(sys.argv[n]) if len(sys.argv) > n else default for n, kind, default
                            in ((4, int, 600), (5, float, 0.05), (6, int, 100)))
i, j = pairs[:, 0].astype(np.int32), pairs[:, 1].astype(np.int32)
label = np.full(items, -1, dtype=np.int64)
threshold, clusters = score.min(), 0
alive = np.zeros(items, dtype=bool)
alive[i] = alive[j] = True
for _ in range(max_iter + 1):
    graph = coo_matrix((np.ones(len(i), dtype=np.int8), (i, j)), shape=(items, items))
    component = connected_components(graph, directed=False)[1]
    size = np.bincount(component[alive])
    small = alive & (size[component.clip(max=len(size) - 1)] <= max_size)
    label[small] = component[small] + clusters
    clusters += len(size)
    alive &= ~small
    threshold = threshold + (1 - threshold) * step
    keep = alive[i] & alive[j] & (score >= threshold)
    i, j, score = i[keep], j[keep], score[keep]
    if not alive.any():
        break
label[alive] = clusters + component[alive]
first = {}
out = [first.setdefault(number, len(first)) if number >= 0 else -1 for number in label.tolist()]
print("\n".join(map(str, out)))
print(f"scipy: {time.time() - begun:.2f} s", file=sys.stderr)

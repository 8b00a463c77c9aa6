#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""python.py FILE DIM META [K]: wall and CPU seconds and pairwise F of the Python package on rows of raw float32: `cluster`, and by
the same package HDBSCAN and FINCH (whose definitions are those of the packages hdbscan and finch-clust). LIBCDP names the library."""
import sys
import time

import numpy as np

import cdp

file, dim, meta = sys.argv[1], int(sys.argv[2]), sys.argv[3]
k = int(sys.argv[4]) if sys.argv[4:] else 80
rows = np.fromfile(file, "<f4").reshape(-1, dim)
truth = np.loadtxt(meta, dtype=int)
for name, run in {
        "cluster": lambda: cdp.cluster(rows, k).labels,
        "hdbscan": lambda: cdp.baseline("hdbscan", rows),
        **{f"finch {n}": lambda n=n: cdp.baseline("finch", rows, partition=n) for n in (1, 2, 3)},
}.items():
    begun, processor = time.time(), time.process_time()
    labels = run()
    print(f"{name}\t{time.time() - begun:.2f}\t{time.process_time() - processor:.2f}\t"
          f"{100 * cdp.evaluate(labels, truth)['kept']['pairwise_fscore']:.2f}", flush=True)

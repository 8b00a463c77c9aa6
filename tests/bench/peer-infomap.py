#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""peer-infomap.py PAIRS.tsv LABELS: prints the time of igraph's Infomap (Debian: python3-igraph), one trial, on the
graph of cdp-propagate --method map, and the codelengths of its clusters and of LABELS by one definition."""
import os
import random
import sys
import time

import igraph

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../reference"))
from codelength import codelength, weights  # noqa: E402

with open(sys.argv[2], encoding="ascii") as file:
    own = [int(line) for line in file]
with open(sys.argv[1], encoding="ascii") as file:
    pairs = weights(file)
loops = [(i, i) for i in range(len(own))]
graph = igraph.Graph(len(own), list(pairs) + loops)
weight = list(pairs.values()) + [1.0] * len(own)
random.seed(1)
begun, processor = time.time(), time.process_time()
found = graph.community_infomap(edge_weights=weight, trials=1).membership
print(f"igraph: {time.time() - begun:.1f} s, {time.process_time() - processor:.1f} s of CPU time, "
      f"codelength {codelength(pairs, found):.6f}, {len(set(found))} clusters")
print(f"labels: codelength {codelength(pairs, own):.6f}, {len(set(own))} clusters")

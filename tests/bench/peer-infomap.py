#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""peer-infomap.py PAIRS.tsv ITEMS >LABELS: the clusters of igraph's Infomap (Debian: python3-igraph), one trial, on
the graph of cdp-propagate --method map: pairs ascending, each once. Prints its time on standard error."""
import math
import random
import sys
import time

import igraph

items = int(sys.argv[2])
pairs, weight = [], []
with open(sys.argv[1], encoding="ascii") as file:
    for line in file:
        i, j, score = line.split()
        pairs.append((int(i), int(j)))
        weight.append(min(7.25, -math.log10(1 - float(score))) if float(score) < 1 else 7.25)
graph = igraph.Graph(items, pairs + [(i, i) for i in range(items)])
random.seed(1)
begun, processor = time.time(), time.process_time()
found = graph.community_infomap(edge_weights=weight + [1.0] * items, trials=1).membership
print(f"igraph: {time.time() - begun:.1f} s, {time.process_time() - processor:.1f} s of CPU time", file=sys.stderr)
print("\n".join(map(str, found)))

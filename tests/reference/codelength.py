# SPDX-License-Identifier: MIT
"""The codelength of clusters by its definition in cdp-propagate(1), in bits, computed from pairs and labels alone.

usage: codelength.py LABELS [moves] <PAIRS
           PAIRS: two ids and a score per line, LABELS: a label per line, -1 for an item in a cluster of its own
           moves: prints too how much shorter the best move of one item to another or an empty cluster, or the best
           union of two clusters, would make it
"""
import math
import sys


def weight(score):
    """The decimal digits by which a false pair is ruled out."""
    if score <= 0:
        return 0.0
    return min(7.25, -math.log10(1 - score)) if score < 1 else 7.25


def weights(lines):
    """The weight of each pair: that of its highest score."""
    pairs = {}
    for line in lines:
        i, j, score = line.split()
        key = (min(int(i), int(j)), max(int(i), int(j)))
        pairs[key] = max(pairs.get(key, 0.0), weight(float(score)))
    return pairs


def plogp(x):
    return x * math.log2(x) if x > 0 else 0.0


def codelength(pairs, label):
    strength = [1.0] * len(label)
    module = [c if c >= 0 else -1 - i for i, c in enumerate(label)]
    leaving = dict.fromkeys(module, 0.0)
    for (i, j), w in pairs.items():
        strength[i] += w
        strength[j] += w
        if module[i] != module[j]:
            leaving[module[i]] += w
            leaving[module[j]] += w
    visits = dict.fromkeys(module, 0.0)
    for c, s in zip(module, strength):
        visits[c] += s
    total = math.fsum(strength)
    return math.fsum(
        [plogp(math.fsum(leaving.values()) / total)]
        + [plogp((leaving[c] + visits[c]) / total) - 2 * plogp(leaving[c] / total) for c in visits]
        + [-plogp(s / total) for s in strength]
    )


def shortest_move(pairs, label):
    """The least codelength after one move or union."""
    clusters = set(label) | {max(label) + 1}
    moved = ([to if i == item else c for i, c in enumerate(label)] for item in range(len(label)) for to in clusters)
    united = ([a if c == b else c for c in label] for a in clusters for b in clusters if a < b)
    return min(codelength(pairs, other) for others in (moved, united) for other in others)


if __name__ == "__main__":
    with open(sys.argv[1], encoding="ascii") as file:
        labels = [int(line) for line in file]
    graph = weights(sys.stdin)
    length = codelength(graph, labels)
    if len(sys.argv) > 2:
        own = max(labels) + 1
        single = [c if c >= 0 else own + i for i, c in enumerate(labels)]
        print(f"{length:.6f} {length - shortest_move(graph, single):.6f}")
    else:
        print(f"{length:.6f}")

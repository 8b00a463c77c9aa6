#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""stages.py FOLDER: the stages on the features m0.bin to m2.bin of a folder, rows x 48, and the labels in meta.txt. Writes into the
current folder what tests/python.sh compares with the tools' output."""
import sys

import numpy as np

import cdp

folder = sys.argv[1]
features = [np.fromfile(f"{folder}/m{m}.bin", "<f4").reshape(-1, 48) for m in range(3)]
meta = np.loadtxt(f"{folder}/meta.txt", dtype=int)


def write_labels(labels, path):
    np.savetxt(path, labels, fmt="%d")


lists = [cdp.knn(x, 14) for x in features]
for name, edges in {
        "knn": lists[0],
        "knn-l1": cdp.knn(features[0].astype("f8"), 5, metric="l1", copies="once"),
        "knn-approx": cdp.knn(features[1], 7, method="approx", recall=0.9),
        "vote": cdp.vote(lists, accept=2, threshold=0.4),
        "vote-l2": cdp.vote(cdp.knn(features[0], 5, metric="l2"), threshold=0.3),
        "truth": cdp.truth(lists[0], meta),
        "features": cdp.pair_features(features, lists),
        "extra": cdp.pair_features(features, lists, extra=True),
        "consensus": cdp.consensus(features, lists)[0],
        "consensus-1": cdp.consensus(features[0], lists[0], false_alarms=0.5)[0],
}.items():
    cdp.write_stream(edges, f"{name}.cdp")

mediator = cdp.Mediator.train(cdp.read_stream("features.cdp"), meta, epochs=3, seed=7)
cdp.write_stream(mediator.apply(cdp.read_stream("features.cdp")), "apply-auto.cdp")
cdp.write_stream(mediator.apply(cdp.read_stream("features.cdp"), 0.6), "apply.cdp")
mediator.write("model")
cdp.write_stream(cdp.Mediator.read("model").apply(cdp.read_stream("features.cdp"), 0.6), "again.cdp")

pairs = cdp.read_stream("vote.cdp")
must, cannot = [[0, 5], [5, 9]], [[0, 1], [3, 30]]
cdp.write_stream(cdp.forest(pairs), "forest.cdp")
write_labels(cdp.propagate(pairs), "ladder")
write_labels(cdp.propagate(pairs, threshold=0.6, max_size=20, step=0.02, max_iter=5, forced_stop="merge"), "ladder-2")
write_labels(cdp.propagate(pairs, threshold="auto"), "ladder-auto")
write_labels(cdp.propagate(cdp.read_stream("forest.cdp"), max_size=40), "ladder-forest")
write_labels(cdp.propagate(pairs, max_size=40, must_link=must, cannot_link=cannot), "ladder-links")
write_labels(cdp.propagate(cdp.read_stream("consensus.cdp"), method="map"), "map.txt")
write_labels(cdp.propagate(pairs, method="map", threshold=0.7, must_link=must, cannot_link=cannot), "map-links")
np.savetxt("linkage", cdp.linkage(pairs, must_link=must), fmt=["%d", "%d", "%.9g", "%d"], delimiter="\t")
clustering = cdp.cluster(features, 14)
write_labels(clustering.labels, "cluster")
write_labels(cdp.keep_numbers(np.loadtxt("ladder", dtype=int), clustering.labels), "kept")


for method, parameters in {"dbscan": {"eps": 0.9}, "hdbscan": {}, "kmeans": {"clusters": 20}, "ward": {"clusters": 20},
                           "finch": {"partition": 2}, "chinese-whispers": {"similarity": 0.6}}.items():
    write_labels(cdp.baseline(method, features[0], **parameters), method)
write_labels(cdp.baseline("knn-dbscan", lists=lists[0], neighbours=14, similarity=0.6), "knn-dbscan.txt")
np.savetxt("ward-tree", cdp.baseline_tree("ward", features[0]), fmt=["%d", "%d", "%.9g", "%d"], delimiter="\t")


def write_table(table, path):
    with open(path, "w", encoding="ascii") as file:
        for row in table:
            size = "-" if path == "sweep-map" else row["max_size"]
            discarded = 1 - row["items"] / pairs.nodes
            metrics = "\t".join(f"{100 * row[c]:.4f}" for c in ("precision", "recall", "fscore", "bcubed"))
            print(f"{row['threshold']:.7g}", size, row["clusters"], row["items"], row["largest"], f"{discarded:.6f}", metrics,
                  sep="\t", file=file)


write_table(cdp.sweep(pairs, (0.3, 0.9, 0.1), max_sizes=[50, 600], truth=meta), "sweep")
write_table(cdp.sweep(pairs, (0.3, 0.9, 0.3), method="map", truth=meta), "sweep-map")
with open("eval.txt", "w", encoding="ascii") as file:
    metrics = cdp.evaluate(clustering.labels, meta)
    for how in ("kept", "removed"):
        for name, metric in {f"pairwise.{how}.precision": "pairwise_precision", f"bcubed.{how}.fscore": "bcubed_fscore",
                             f"ari.{how}": "ari", f"vmeasure.{how}.v": "vmeasure"}.items():
            print(name, f"{100 * metrics[how][metric]:.3f}", file=file)

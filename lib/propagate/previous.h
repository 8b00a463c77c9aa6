// SPDX-License-Identifier: MIT
#ifndef CDP_PREVIOUS_H
#define CDP_PREVIOUS_H

#include "io/labels.h"
#include "propagate/clusters.h"

// Clusters that keep their earlier numbers.

// Gives clusters the numbers of earlier ones so that the most items keep theirs: a matching of new
// and old clusters with the largest weight, the weight being the number of items that they share
// (Kuhn, Naval Research Logistics Quarterly 2, 1955; by shortest augmenting paths). Clusters
// without one get the numbers behind the largest old one, in order of first appearance. `before` is
// of integers, and may be of fewer items or more. Afterwards labels are these numbers, no longer
// those below clusters->clusters. Deterministic. Time: near linear, though no bound better than
// quadratic is known for it. Memory: 8 bytes an item, and some 16 for each two
// clusters that share items.
int cdp_clusters_keep(struct cdp_clusters *clusters, const struct cdp_labels *before,
                      struct cdp_err *err);

enum cdp_change_kind {
    CDP_ADDED,  // an item that was not there is in a cluster
    CDP_JOINED, // an item that was in none is in a cluster
    CDP_MOVED,  // an item is in another cluster
    CDP_LEFT,   // an item is in none any more
    CDP_GONE,   // an item that was in a cluster is not there any more
    CDP_MERGED, // a cluster has items of several earlier ones
    CDP_SPLIT,  // items of an earlier cluster are in several
};

struct cdp_change {
    enum cdp_change_kind kind;
    uint64_t id;           // the item, the cluster that is merged, or the earlier one that is split
    const int64_t *before; // numbers of clusters; valid during the call
    size_t befores;
    const int64_t *now;
    size_t nows;
};

// Receives a change. Returns 0, or -1 after filling err.
typedef int cdp_change_sink(void *context, const struct cdp_change *change, struct cdp_err *err);

// Hands what has changed to the sink: first items, by their ids, then merged clusters, by their
// numbers, then split ones, by first appearance. The clusters are those that cdp_clusters_keep
// left. `was_there` says of each item now whether `before` had it; NULL: those below before->items.
// Ids beyond clusters->items are items that only `before` has. Memory: 12 bytes an item and 8 for
// each two clusters that share items.
int cdp_changes(const struct cdp_clusters *clusters, const struct cdp_labels *before,
                const bool *was_there, cdp_change_sink *sink, void *context, struct cdp_err *err);

#endif

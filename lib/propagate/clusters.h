// SPDX-License-Identifier: MIT
#ifndef CDP_CLUSTERS_H
#define CDP_CLUSTERS_H

#include "io/labels.h"
#include "propagate/tree.h"

// Clusters as labels of items, and changes of them.
struct cdp_clusters {
    uint32_t *label; // items; 0, 1, 2, ... in order of first appearance, or CDP_NO_LABEL
    uint64_t items;
    uint32_t clusters;
    uint64_t forced; // items that still were in too large a component after the last round
};

void cdp_clusters_free(struct cdp_clusters *clusters);

// Removes the labels of clusters with fewer items. Memory: 4 bytes a cluster.
int cdp_clusters_least(struct cdp_clusters *clusters, uint64_t least, struct cdp_err *err);

// Makes each item without a label a cluster of its own. Memory: 4 bytes an item.
int cdp_clusters_singletons(struct cdp_clusters *clusters, struct cdp_err *err);

// Lets each singleton, that is, an item without a label or alone in a cluster, join the cluster of
// its best pair, if that pair scores above the threshold, and the cluster has two items or more
// before any adoption. An item does not join a cluster with an item it is cannot-linked to;
// `cannot` may be NULL. Of several such singletons those with the higher scores join. Ids decide
// between equal scores only. The tree must be that of a forest that remembers pairs. Memory: 24
// bytes an item, and 16 a pair of `cannot`.
int cdp_clusters_adopt(struct cdp_clusters *clusters, const struct cdp_tree *tree, float threshold,
                       const struct cdp_list *cannot, struct cdp_err *err);

#endif

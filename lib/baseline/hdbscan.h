// SPDX-License-Identifier: MIT
#ifndef CDP_HDBSCAN_H
#define CDP_HDBSCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "baseline/result.h"

// HDBSCAN (Campello, Moulavi, Sander: Density-based clustering based on hierarchical density
// estimates, PAKDD 2013) on a minimum spanning tree under mutual reachability.
//
// Merges of equal height are one merge of all that they connect. In a merge of which two or more
// parts have at least S items, each of these becomes a cluster, born at density 1 / height. If one
// part has, the cluster goes on. Other parts leave it there. The stability of a cluster is the sum,
// over its items, of 1 / (the height at which the item leaves) - birth; height 0 counts as infinite
// density.
enum cdp_hdbscan_select {
    // Excess of mass: from the leaves up, a cluster is kept unless the stability of those kept
    // below
    // it exceeds its own.
    CDP_HDBSCAN_EXCESS,
    CDP_HDBSCAN_LEAF, // clusters without clusters below them
};

// label[i] = a number below `items`, or CDP_NO_LABEL for items of no kept cluster. The root is
// never kept. `edge` as cdp_mst makes it: `items` - 1 edges. min_cluster_size >= 2 is S. Memory: 24
// to 56 bytes an item.
int cdp_hdbscan(const struct cdp_joined *edge, uint64_t items, uint64_t min_cluster_size,
                enum cdp_hdbscan_select select, uint32_t *label, struct cdp_err *err);

#endif

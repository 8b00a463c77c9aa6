// SPDX-License-Identifier: MIT
#ifndef CDP_SPLITS_H
#define CDP_SPLITS_H

#include "propagate/graph.h"
#include "propagate/spine.h"

// Where a cluster would part: the two sides of one pair of its spanning tree.
struct cdp_split {
    uint32_t item;  // its pair with the next item is the one; CDP_NO_ITEM: none
    uint32_t items; // on the side of `item`
    double mean;    // score of all possible pairs between the sides, a missing one counting 0
};

// Fills split[label] for each cluster, whose items are member[begin[label]] to
// member[begin[label + 1] - 1], ascending: of the splits with two items and more on either side,
// the one of the least mean, the first by items if several are. `next` is that of cdp_spine; items
// that it does not connect to the root are not counted. Sums of scores cross a pair of the tree if
// just one of their items is below it: they are added at both items and taken off twice where the
// paths of the two meet, which heavy paths find in logarithmic time (Sleator, Tarjan, A data
// structure for dynamic trees, 1983). Results do not depend on the number of threads. Memory: 28
// bytes an item.
int cdp_splits(const struct cdp_graph *graph, const struct cdp_clusters *clusters,
               const uint64_t *begin, const uint32_t *member, const uint32_t *next,
               struct cdp_split *split, int threads, struct cdp_err *err);

#endif

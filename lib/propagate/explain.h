// SPDX-License-Identifier: MIT
#ifndef CDP_EXPLAIN_H
#define CDP_EXPLAIN_H

#include "propagate/clusters.h"
#include "propagate/graph.h"

// Paths and audits. Trees must be those of forests that remember pairs.

struct cdp_step {
    uint64_t from, to;
    float score;
};

// Finds the pairs of the forest that lead from one item to another, from first to last: of all
// paths between the two, one whose weakest pair is the strongest. Returns their number, which is 0
// where there is no path, or -1. `path` becomes the caller's, for free(). Memory: 28 bytes an item.
int64_t cdp_why(const struct cdp_tree *tree, uint64_t from, uint64_t to, struct cdp_step **path,
                struct cdp_err *err);

struct cdp_audit {
    uint64_t items;
    uint64_t pairs;   // within it, without must-links
    uint64_t bridges; // pairs without which it falls apart
    float weakest;    // score of the weakest pair that it needs to be connected; NaN: none
    uint64_t medoid;  // the item with the largest sum of scores within it, the first of several
};

// Fills audit[label] for each cluster, but for `weakest`, which is NaN. The graph is that of the
// pairs above the threshold, and of must-links at the score INFINITY. Memory: 28 bytes an item.
int cdp_audit(const struct cdp_graph *graph, const struct cdp_clusters *clusters,
              struct cdp_audit *audit, struct cdp_err *err);

// Sets the `weakest` of each cluster of the audit, from the tree of the same pairs. Memory: 4 bytes
// an item.
int cdp_audit_weakest(const struct cdp_tree *tree, float threshold,
                      const struct cdp_clusters *clusters, struct cdp_audit *audit,
                      struct cdp_err *err);

#endif

// SPDX-License-Identifier: MIT
#ifndef CDP_LINKAGE_H
#define CDP_LINKAGE_H

#include "propagate/tree.h"

// A row of SciPy's linkage matrix. Nodes 0 to items - 1 are the items; row r makes node items + r.
struct cdp_linkage_row {
    uint64_t node[2]; // the smaller one first
    double distance;  // 1 - score; 0 for a must-link, INFINITY where no pair joins the two
    uint64_t size;    // items in both
};

// Receives a row. Returns 0, or -1 after filling err.
typedef int cdp_linkage_sink(void *context, const struct cdp_linkage_row *row, struct cdp_err *err);

// Hands the items - 1 rows of a merge tree to the sink, by ascending distance. The tree should be
// that of a forest that remembers pairs, so that merges of one score have one order. Memory: 12
// bytes a node of the tree.
int cdp_linkage(const struct cdp_tree *tree, cdp_linkage_sink *sink, void *context,
                struct cdp_err *err);

#endif

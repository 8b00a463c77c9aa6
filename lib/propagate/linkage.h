// SPDX-License-Identifier: MIT
#ifndef CDP_LINKAGE_H
#define CDP_LINKAGE_H

#include "propagate/tree.h"

// A merge tree as SciPy's linkage matrix: row r makes node items + r of two nodes, items being
// nodes 0 to items - 1; distances (1 - score) ascend. What no pair joins is joined at an infinite
// distance in the end, so that there are items - 1 rows.
struct cdp_linkage_row {
    uint64_t node[2]; // the smaller one first
    float distance;
    uint64_t size; // items
};

struct cdp_linkage {
    uint64_t rows;
    struct cdp_linkage_row *row;
};

// The tree should be that of a forest that remembers pairs, so that merges of one score have one
// order. Memory: 32 bytes a row, and 12 a node of the tree while it works.
int cdp_linkage_new(struct cdp_linkage *linkage, const struct cdp_tree *tree, struct cdp_err *err);
void cdp_linkage_free(struct cdp_linkage *linkage);

#endif

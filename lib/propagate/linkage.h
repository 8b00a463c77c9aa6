// SPDX-License-Identifier: MIT
#ifndef CDP_LINKAGE_H
#define CDP_LINKAGE_H

#include "io/output.h"
#include "propagate/tree.h"

// Writes a merge tree as SciPy's linkage matrix, a row a line: two nodes, the smaller first; their
// distance, which rises: 1 - score, 0 for a must-link; the items that they have together. Row r
// makes node items + r, items being nodes 0 to items - 1. What no pair joins is joined at the
// distance inf in the end, so that there are items - 1 rows. The tree should be that of a forest
// that remembers pairs, so that merges of one score have one order. Memory: 12 bytes a node of the
// tree.
int cdp_linkage_write(struct cdp_output *output, const struct cdp_tree *tree, struct cdp_err *err);

#endif

// SPDX-License-Identifier: MIT
#ifndef CDP_RESULT_H
#define CDP_RESULT_H

#include <stdint.h>

#include "base/err.h"
#include "io/labels.h"

// What the methods end with: labels, or a merge tree.

// Renumbers labels other than CDP_NO_LABEL as 0, 1, 2, ... by first appearance. Returns the number
// of labels, or -1. Memory: 4 bytes for each label up to the largest.
int64_t cdp_result_number(uint32_t *label, uint64_t items, struct cdp_err *err);

// A row of a merge tree as SciPy's linkage has it. Nodes 0 to items - 1 are the items; row r makes
// node items + r.
struct cdp_merged {
    uint32_t node[2]; // the smaller one first
    uint32_t size;    // items in both
    double height;
};

// Two items that merge at a height: an edge of a minimum spanning tree.
struct cdp_joined {
    uint32_t end[2];
    double height;
};

// Makes a merge tree of the items - 1 edges of a spanning tree, ascending by height, as cdp_mst
// gives them. `row` has room for items - 1. At most 2^31 - 1 items. Memory: 8 bytes an item.
int cdp_result_tree(const struct cdp_joined *edge, uint64_t items, struct cdp_merged *row,
                    struct cdp_err *err);

#endif

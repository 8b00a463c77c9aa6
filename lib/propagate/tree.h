// SPDX-License-Identifier: MIT
#ifndef CDP_TREE_H
#define CDP_TREE_H

#include "base/err.h"
#include "propagate/forest.h"
#include "stream/list.h"

// The merge tree of scored pairs (the dendrogram of single linkage): what their components are at
// every threshold. Its leaves are the items that are in a pair; each merge unites two nodes into
// one. Merges stand in descending order of score, so a node comes before what it is part of.
//
// Node numbers: leaves first, merge m is node leaves + m.
struct cdp_merge {
    uint32_t part[2]; // nodes
    float score;      // the highest threshold at which they are one component
    uint32_t size;    // leaves below it
    uint32_t end[2];  // the leaves of the forest's edge that joins them
};

struct cdp_tree {
    uint64_t items;
    uint32_t *leaf; // of each item, or CDP_NO_PLACE
    uint32_t leaves;
    uint32_t merges;
    struct cdp_merge *merge;
    size_t left_out; // edges that cannot-links forbid
};

// Makes the tree of a forest, whose memory it takes: the forest is empty afterwards, after a
// failure too. An edge that would join the ends of a pair of `cannot`, which may be NULL, is left
// out: it is the weakest on the path between the two. A leaf may end without a merge. Edges of
// infinite score are never left out. At most 2^31 items may be in pairs. Memory: 48 bytes an item
// while it works, 28 in the end.
int cdp_tree_new(struct cdp_tree *tree, struct cdp_forest *forest, const struct cdp_list *cannot,
                 struct cdp_err *err);
void cdp_tree_free(struct cdp_tree *tree);

// The item of each leaf, for free(); NULL after an error.
uint32_t *cdp_tree_item(const struct cdp_tree *tree, struct cdp_err *err);

// How many merges have a score above the threshold: they are the first ones.
uint32_t cdp_tree_above(const struct cdp_tree *tree, float threshold);

// The leaves below a node.
static inline uint32_t cdp_tree_size(const struct cdp_tree *tree, uint32_t node)
{
    return node < tree->leaves ? 1 : tree->merge[node - tree->leaves].size;
}

#endif

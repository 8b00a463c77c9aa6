// SPDX-License-Identifier: MIT
#ifndef CDP_ADJACENCY_H
#define CDP_ADJACENCY_H

#include "propagate/tree.h"

// The pairs that a merge tree is made of, by their ends: those of a leaf are, as numbers of merges,
// edge[offset[leaf]] .. [offset[leaf + 1]] (excluded).
struct cdp_adjacency {
    uint64_t *offset;
    uint32_t *edge;
};

// The tree must be that of a forest that remembers pairs. Memory: 16 bytes a leaf. Free it also
// after an error.
int cdp_adjacency_new(struct cdp_adjacency *adjacency, const struct cdp_tree *tree,
                      struct cdp_err *err);
void cdp_adjacency_free(struct cdp_adjacency *adjacency);

#endif

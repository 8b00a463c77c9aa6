// SPDX-License-Identifier: MIT
#ifndef CDP_SPANNING_H
#define CDP_SPANNING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "baseline/result.h"

// A minimum spanning forest of the pairs offered so far (Kruskal). Offered pairs wait behind the
// forest's edges until they are merged.
struct cdp_spanning {
    uint32_t nodes;
    struct cdp_joined *edge; // `tree` edges of the forest, ascending by height, then waiting pairs
    size_t tree, count, room;
    // After a merge:
    double *gap;    // the bottleneck between nodes i and i + 1, INFINITY if they are not connected:
                    // that of nodes i < j is at most the largest of gap[i] .. gap[j - 1]
    uint32_t *part; // the component of each node: one of its nodes
    uint32_t *next, *last, *size; // of components: their nodes, as lists that begin with that one
};

// A forest without edges. Memory: 24 bytes a node, and 16 bytes a waiting pair, twice in a merge.
int cdp_spanning_new(struct cdp_spanning *forest, uint32_t nodes, struct cdp_err *err);
void cdp_spanning_free(struct cdp_spanning *forest);

// Makes room for `count` pairs more. Returns the first, or NULL; the caller fills them.
struct cdp_joined *cdp_spanning_offer(struct cdp_spanning *forest, size_t count,
                                      struct cdp_err *err);

// Merges the waiting pairs into the forest.
int cdp_spanning_merge(struct cdp_spanning *forest, struct cdp_err *err);

// Renumbers the nodes of a connected forest so that those of every subtree of its merge tree are
// adjacent, and of two that merge the larger is first. Then gaps bound bottlenecks exactly until
// the next merge. node[i] receives the old number of node i.
int cdp_spanning_renumber(struct cdp_spanning *forest, uint32_t *node, struct cdp_err *err);

#endif

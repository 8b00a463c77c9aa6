// SPDX-License-Identifier: MIT
#ifndef CDP_ADJACENCY_H
#define CDP_ADJACENCY_H

#include <stdbool.h>
#include <stdint.h>

#include "baseline/neighbours.h"

// The graph of neighbour lists: two items are adjacent if one is in the other's list.

// Those adjacent to item i are target[begin[i]] .. target[begin[i + 1] - 1], once each; mutual:
// each is in the other's list. No item is adjacent to itself.
struct cdp_adjacency {
    uint64_t items;
    uint64_t *begin;
    uint32_t *target;
    bool *mutual;
};

// Memory: 5 bytes for each end of an edge, 8 bytes an item. Free it with cdp_adjacency_free.
int cdp_adjacency_new(struct cdp_adjacency *graph, const struct cdp_neighbours *lists,
                      struct cdp_err *err);
void cdp_adjacency_free(struct cdp_adjacency *graph);

#endif

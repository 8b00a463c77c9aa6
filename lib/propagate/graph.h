// SPDX-License-Identifier: MIT
#ifndef CDP_GRAPH_H
#define CDP_GRAPH_H

#include "stream/list.h"

// All pairs in memory, for what a forest cannot tell. Item i's partners, by their ids, are
// partner/score[offset[i]] .. [offset[i + 1]] (excluded).
struct cdp_graph {
    uint64_t items;
    uint64_t *offset; // items + 1
    uint32_t *partner;
    float *score;
};

// Makes the graph of the pairs above a threshold, of which the highest score counts where one is
// repeated; the list is sorted for it, and what is not above is taken off it. Ids must be below
// `items`. Memory: 16 bytes a pair and 8 an item, beside the list's 48 a pair.
int cdp_graph_new(struct cdp_graph *graph, struct cdp_list *pairs, float threshold, uint64_t items,
                  struct cdp_err *err);
void cdp_graph_free(struct cdp_graph *graph);

#endif

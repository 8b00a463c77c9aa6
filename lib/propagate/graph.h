// SPDX-License-Identifier: MIT
#ifndef CDP_GRAPH_H
#define CDP_GRAPH_H

#include "stream/list.h"

// All pairs in memory, as an adjacency list in compressed sparse rows. Item i's partners, by their
// ids, are partner[offset[i]] .. [offset[i + 1]] (excluded).
struct cdp_partner {
    uint32_t item;
    float score; // of the pair
};

struct cdp_graph {
    uint64_t items;
    uint64_t *offset; // items + 1
    struct cdp_partner *partner;
};

// Makes the graph of the pairs above a threshold; of a repeated pair the highest score counts. The
// list is sorted, and pairs that are not above the threshold are removed from it. Ids must be below
// `items`. Memory: 16 bytes a pair and 8 an item, beside the list's 48 a pair.
int cdp_graph_new(struct cdp_graph *graph, struct cdp_list *pairs, float threshold, uint64_t items,
                  struct cdp_err *err);
void cdp_graph_free(struct cdp_graph *graph);

#endif

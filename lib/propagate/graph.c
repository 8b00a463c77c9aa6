// SPDX-License-Identifier: MIT
#include "propagate/graph.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/sort.h"

static void drop_weak(struct cdp_list *pairs, float threshold)
{
    size_t kept = 0;
    for (size_t p = 0; p < pairs->count; p++) {
        if (!(pairs->edge[p].value > threshold))
            continue;
        if (kept < p)
            pairs->edge[kept] = pairs->edge[p];
        kept++;
    }
    pairs->count = kept;
}

int cdp_graph_new(struct cdp_graph *g, struct cdp_list *pairs, float threshold, uint64_t items,
                  struct cdp_err *err)
{
    *g = (struct cdp_graph){.items = items};
    drop_weak(pairs, threshold);
    if (cdp_list_sort(pairs, CDP_PAIRS, err))
        return -1;
    g->offset = cdp_zalloc(items + 2, sizeof *g->offset, "pairs", err);
    g->partner = cdp_alloc(2 * pairs->count, sizeof *g->partner, "pairs", err);
    if (!g->offset || !g->partner) {
        cdp_graph_free(g);
        return -1;
    }
    for (size_t p = 0; p < pairs->count; p++) {
        g->offset[pairs->edge[p].source + 2]++;
        g->offset[pairs->edge[p].target + 2]++;
    }
    cdp_group_begins(g->offset, items);
    // Pairs are sorted by the smaller id, then the larger, so two passes order each item's
    // partners.
    for (int larger = 0; larger < 2; larger++) {
        for (size_t p = 0; p < pairs->count; p++) {
            const struct cdp_edge *e = &pairs->edge[p];
            uint64_t item = larger ? e->source : e->target, other = larger ? e->target : e->source;
            g->partner[g->offset[item + 1]++] = (struct cdp_partner){(uint32_t)other, e->value};
        }
    }
    return 0;
}

void cdp_graph_free(struct cdp_graph *g)
{
    free(g->offset);
    free(g->partner);
    *g = (struct cdp_graph){0};
}

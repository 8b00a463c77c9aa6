// SPDX-License-Identifier: MIT
#include "propagate/adjacency.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/sort.h"

int cdp_adjacency_new(struct cdp_adjacency *a, const struct cdp_tree *t, struct cdp_err *err)
{
    a->offset = cdp_zalloc((size_t)t->leaves + 2, sizeof *a->offset, "the forest", err);
    a->edge = cdp_alloc(2 * (size_t)t->merges, sizeof *a->edge, "the forest", err);
    if (!a->offset || !a->edge)
        return -1;
    for (uint32_t m = 0; m < t->merges; m++) {
        a->offset[t->merge[m].end[0] + 2]++;
        a->offset[t->merge[m].end[1] + 2]++;
    }
    cdp_group_begins(a->offset, t->leaves);
    for (uint32_t m = 0; m < t->merges; m++) {
        a->edge[a->offset[t->merge[m].end[0] + 1]++] = m;
        a->edge[a->offset[t->merge[m].end[1] + 1]++] = m;
    }
    return 0;
}

void cdp_adjacency_free(struct cdp_adjacency *a)
{
    free(a->offset);
    free(a->edge);
    *a = (struct cdp_adjacency){0};
}

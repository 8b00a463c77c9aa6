// SPDX-License-Identifier: MIT
#include "propagate/spine.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "propagate/adjacency.h"

int cdp_spine(const struct cdp_tree *tree, const struct cdp_clusters *c, const uint32_t *root,
              uint32_t *next, float *score, uint32_t *below, struct cdp_err *err)
{
    struct cdp_adjacency edges = {0};
    uint32_t *item = cdp_tree_item(tree, err), found = 0;
    uint32_t *queue = cdp_alloc(tree->leaves, sizeof *queue, "paths", err);
    int status = item && queue && !cdp_adjacency_new(&edges, tree, err) ? 0 : -1;
    for (uint64_t i = 0; i < c->items; i++) {
        next[i] = CDP_NO_ITEM;
        score[i] = NAN;
        below[i] = 0;
    }
    for (uint32_t l = 0; !status && l < c->clusters; l++) {
        if (tree->leaf[root[l]] != CDP_NO_PLACE)
            queue[found++] = tree->leaf[root[l]];
        else
            below[root[l]] = 1; // alone
    }
    for (uint32_t at = 0; !status && at < found; at++) {
        uint32_t leaf = queue[at];
        for (uint64_t e = edges.offset[leaf]; e < edges.offset[leaf + 1]; e++) {
            const struct cdp_merge *m = &tree->merge[edges.edge[e]];
            uint32_t other = m->end[m->end[0] == leaf];
            if (next[item[leaf]] == item[other])
                continue; // where the path came from
            next[item[other]] = item[leaf];
            score[item[other]] = m->score;
            queue[found++] = other;
        }
    }
    for (uint32_t at = found; !status && at-- > 0;) {
        uint32_t i = item[queue[at]];
        below[i]++;
        if (next[i] != CDP_NO_ITEM)
            below[next[i]] += below[i];
    }
    cdp_adjacency_free(&edges);
    free(item);
    free(queue);
    return status;
}

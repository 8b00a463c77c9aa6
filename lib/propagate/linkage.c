// SPDX-License-Identifier: MIT
#include "propagate/linkage.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

static void add_row(struct cdp_linkage *l, uint64_t a, uint64_t b, float distance, uint64_t size)
{
    l->row[l->rows++] = (struct cdp_linkage_row){{a < b ? a : b, a < b ? b : a}, distance, size};
}

int cdp_linkage_new(struct cdp_linkage *l, const struct cdp_tree *t, struct cdp_err *err)
{
    size_t nodes = (size_t)t->leaves + t->merges;
    *l = (struct cdp_linkage){0};
    l->row = cdp_alloc(t->items, sizeof *l->row, "the linkage", err);
    uint64_t *number =
        cdp_alloc(nodes, sizeof *number, "the linkage", err);          // as the linkage has it
    uint32_t *top = cdp_alloc(nodes, sizeof *top, "the linkage", err); // above each node
    if (!l->row || !number || !top) {
        cdp_linkage_free(l);
        free(number);
        free(top);
        return -1;
    }
    for (uint64_t i = 0; i < t->items; i++) {
        if (t->leaf[i] != CDP_NO_PLACE)
            number[t->leaf[i]] = i;
    }
    for (uint32_t node = 0; node < nodes; node++)
        top[node] = node;
    for (uint32_t m = 0; m < t->merges; m++) {
        const struct cdp_merge *merge = &t->merge[m];
        number[t->leaves + m] = t->items + l->rows;
        add_row(l, number[merge->part[0]], number[merge->part[1]], 1 - merge->score, merge->size);
    }
    for (uint32_t m = t->merges; m-- > 0;) {
        top[t->merge[m].part[0]] = top[t->leaves + m];
        top[t->merge[m].part[1]] = top[t->leaves + m];
    }
    // The roots, by their first item; a root that is joined already has none of its own any more.
    uint64_t whole = 0, size = 0;
    for (uint64_t i = 0; i < t->items; i++) {
        uint32_t root = t->leaf[i] == CDP_NO_PLACE ? CDP_NO_PLACE : top[t->leaf[i]];
        uint64_t own = root == CDP_NO_PLACE ? i : number[root];
        if (own == UINT64_MAX)
            continue;
        uint64_t more = root == CDP_NO_PLACE ? 1 : cdp_tree_size(t, root);
        if (size) {
            uint64_t next = t->items + l->rows;
            add_row(l, whole, own, INFINITY, size + more);
            own = next;
        }
        whole = own;
        size += more;
        if (root != CDP_NO_PLACE)
            number[root] = UINT64_MAX;
    }
    free(number);
    free(top);
    return 0;
}

void cdp_linkage_free(struct cdp_linkage *l)
{
    free(l->row);
    *l = (struct cdp_linkage){0};
}

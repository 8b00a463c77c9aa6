// SPDX-License-Identifier: MIT
#include "propagate/linkage.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

struct linkage {
    cdp_linkage_sink *sink;
    void *context;
    uint64_t rows;    // so far
    uint64_t *number; // of each node of the tree, as the linkage has it
    uint32_t *top;    // the root above each node
};

static int add_row(struct linkage *l, uint64_t a, uint64_t b, double distance, uint64_t size,
                   struct cdp_err *err)
{
    struct cdp_linkage_row row = {{a < b ? a : b, a < b ? b : a}, distance, size};
    l->rows++;
    return l->sink(l->context, &row, err);
}

static int add_merges(struct linkage *l, const struct cdp_tree *t, struct cdp_err *err)
{
    for (uint64_t i = 0; i < t->items; i++) {
        if (t->leaf[i] != CDP_NO_PLACE)
            l->number[t->leaf[i]] = i;
    }
    for (uint32_t m = 0; m < t->merges; m++) {
        const struct cdp_merge *merge = &t->merge[m];
        l->number[t->leaves + m] = t->items + l->rows;
        if (add_row(l, l->number[merge->part[0]], l->number[merge->part[1]],
                    isinf(merge->score) ? 0 : (double)(1 - merge->score), merge->size, err))
            return -1;
    }
    return 0;
}

// Joins the roots, by their first item, and the items in no pair.
static int add_rest(struct linkage *l, const struct cdp_tree *t, struct cdp_err *err)
{
    for (uint32_t node = 0; node < t->leaves + t->merges; node++)
        l->top[node] = node;
    for (uint32_t m = t->merges; m-- > 0;) {
        l->top[t->merge[m].part[0]] = l->top[t->leaves + m];
        l->top[t->merge[m].part[1]] = l->top[t->leaves + m];
    }
    uint64_t whole = 0, size = 0;
    for (uint64_t i = 0; i < t->items; i++) {
        uint32_t root = t->leaf[i] == CDP_NO_PLACE ? CDP_NO_PLACE : l->top[t->leaf[i]];
        uint64_t own = root == CDP_NO_PLACE ? i : l->number[root];
        if (own == UINT64_MAX)
            continue; // joined already
        uint64_t next = t->items + l->rows;
        uint64_t more = root == CDP_NO_PLACE ? 1 : cdp_tree_size(t, root);
        if (size && add_row(l, whole, own, INFINITY, size + more, err))
            return -1;
        whole = size ? next : own;
        size += more;
        if (root != CDP_NO_PLACE)
            l->number[root] = UINT64_MAX;
    }
    return 0;
}

int cdp_linkage(const struct cdp_tree *t, cdp_linkage_sink *sink, void *context,
                struct cdp_err *err)
{
    size_t nodes = (size_t)t->leaves + t->merges;
    struct linkage l = {.sink = sink, .context = context};
    l.number = cdp_alloc(nodes, sizeof *l.number, "the linkage", err);
    l.top = cdp_alloc(nodes, sizeof *l.top, "the linkage", err);
    int status = l.number && l.top ? add_merges(&l, t, err) : -1;
    if (!status)
        status = add_rest(&l, t, err);
    free(l.number);
    free(l.top);
    return status;
}

// SPDX-License-Identifier: MIT
#include "baseline/result.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/sets.h"

int64_t cdp_result_number(uint32_t *label, uint64_t items, struct cdp_err *err)
{
    uint64_t labels = 0; // one more than the largest
    for (uint64_t i = 0; i < items; i++)
        labels = label[i] != CDP_NO_LABEL && label[i] >= labels ? label[i] + UINT64_C(1) : labels;
    uint32_t *number = cdp_alloc(labels, sizeof *number, "labels", err), count = 0;
    if (!number)
        return -1;
    for (uint64_t l = 0; l < labels; l++)
        number[l] = CDP_NO_LABEL;
    for (uint64_t i = 0; i < items; i++) {
        if (label[i] == CDP_NO_LABEL)
            continue;
        if (number[label[i]] == CDP_NO_LABEL)
            number[label[i]] = count++;
        label[i] = number[label[i]];
    }
    free(number);
    return count;
}

static uint32_t size_of(const struct cdp_merged *row, uint64_t items, uint32_t node)
{
    return node < items ? 1 : row[node - items].size;
}

int cdp_result_tree(const struct cdp_joined *edge, uint64_t items, struct cdp_merged *row,
                    struct cdp_err *err)
{
    if (items > INT32_MAX)
        return cdp_fail(err, "%llu items: a merge tree holds at most 2^31 - 1",
                        (unsigned long long)items);
    uint32_t *parent = cdp_alloc(items, 2 * sizeof *parent, "sets of items", err);
    if (!parent)
        return -1;
    uint32_t *node = parent + items; // of each root
    cdp_sets_init(parent, (uint32_t)items);
    cdp_sets_init(node, (uint32_t)items);
    for (uint64_t e = 0; e + 1 < items; e++) {
        uint32_t a = node[cdp_sets_find(parent, edge[e].end[0])];
        uint32_t b = node[cdp_sets_find(parent, edge[e].end[1])];
        row[e] = (struct cdp_merged){{a < b ? a : b, a < b ? b : a},
                                     size_of(row, items, a) + size_of(row, items, b),
                                     edge[e].height};
        cdp_sets_join(parent, edge[e].end[0], edge[e].end[1]);
        node[cdp_sets_find(parent, edge[e].end[0])] = (uint32_t)(items + e);
    }
    free(parent);
    return 0;
}

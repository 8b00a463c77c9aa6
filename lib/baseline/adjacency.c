// SPDX-License-Identifier: MIT
#include "baseline/adjacency.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/sort.h"

static bool listed(const struct cdp_neighbours *lists, uint64_t row, uint32_t target)
{
    for (uint32_t n = 0; n < lists->k; n++) {
        if (lists->target[row * lists->k + n] == target)
            return true;
    }
    return false;
}

static void count_end(struct cdp_adjacency *graph, uint64_t from, uint64_t to, bool mutual)
{
    (void)to;
    (void)mutual;
    graph->begin[from + 2]++;
}

static void add_end(struct cdp_adjacency *graph, uint64_t from, uint64_t to, bool mutual)
{
    uint64_t at = graph->begin[from + 1]++;
    graph->target[at] = (uint32_t)to;
    graph->mutual[at] = mutual;
}

static void each_end(struct cdp_adjacency *graph, const struct cdp_neighbours *lists,
                     void (*act)(struct cdp_adjacency *, uint64_t, uint64_t, bool))
{
    for (uint64_t row = 0; row < lists->rows; row++) {
        for (uint32_t n = 0; n < lists->k; n++) {
            uint32_t target = lists->target[row * lists->k + n];
            if (target == row)
                continue;
            bool mutual = listed(lists, target, (uint32_t)row);
            act(graph, row, target, mutual);
            if (!mutual)
                act(graph, target, row, false);
        }
    }
}

int cdp_adjacency_new(struct cdp_adjacency *graph, const struct cdp_neighbours *lists,
                      struct cdp_err *err)
{
    uint64_t items = lists->rows;
    *graph = (struct cdp_adjacency){.items = items};
    graph->begin = cdp_zalloc(items + 2, sizeof *graph->begin, "edges", err);
    if (!graph->begin)
        return -1;
    each_end(graph, lists, count_end);
    cdp_group_begins(graph->begin, items);
    uint64_t ends = graph->begin[items + 1];
    graph->target = cdp_alloc(ends, sizeof *graph->target, "edges", err);
    graph->mutual = cdp_alloc(ends, sizeof *graph->mutual, "edges", err);
    if (!graph->target || !graph->mutual) {
        cdp_adjacency_free(graph);
        return -1;
    }
    each_end(graph, lists, add_end);
    return 0;
}

void cdp_adjacency_free(struct cdp_adjacency *graph)
{
    free(graph->begin);
    free(graph->target);
    free(graph->mutual);
    *graph = (struct cdp_adjacency){0};
}

// SPDX-License-Identifier: MIT
#include "propagate/constraints.h"

#include <stdlib.h>

#include "base/mem.h"

#define NONE UINT32_MAX

// A breadth-first search from the second item of a pair. `before` is the item from which each was
// reached, so the path from the first one follows it.
struct search {
    uint32_t *before; // NONE: not reached
    uint32_t *queue;
    uint32_t *path;
};

// Returns how many items were reached.
static uint32_t spread(const struct cdp_graph *g, struct search *s, uint32_t from, uint32_t to)
{
    uint32_t found = 1;
    s->queue[0] = from;
    s->before[from] = from;
    for (uint32_t at = 0; at < found && s->before[to] == NONE; at++) {
        uint32_t item = s->queue[at];
        for (uint64_t e = g->offset[item]; e < g->offset[item + 1U]; e++) {
            uint32_t other = g->partner[e].item;
            if (s->before[other] != NONE)
                continue;
            s->before[other] = item;
            s->queue[found++] = other;
        }
    }
    return found;
}

int64_t cdp_contradictions(const struct cdp_graph *g, const struct cdp_list *cannot,
                           cdp_contradiction_sink *sink, void *context, struct cdp_err *err)
{
    struct search s;
    int64_t count = 0;
    s.before = cdp_alloc(g->items, sizeof *s.before, "constraints", err);
    s.queue = cdp_alloc(g->items, sizeof *s.queue, "constraints", err);
    s.path = cdp_alloc(g->items, sizeof *s.path, "constraints", err);
    if (!s.before || !s.queue || !s.path)
        count = -1;
    for (uint64_t i = 0; !count && i < g->items; i++)
        s.before[i] = NONE;
    for (size_t p = 0; count >= 0 && p < cannot->count; p++) {
        uint64_t i = cannot->edge[p].source, j = cannot->edge[p].target;
        if (i >= g->items || j >= g->items)
            continue;
        uint32_t found = spread(g, &s, (uint32_t)j, (uint32_t)i);
        if (s.before[i] != NONE) {
            size_t length = 0;
            for (uint32_t item = (uint32_t)i;; item = s.before[item]) {
                s.path[length++] = item;
                if (item == j)
                    break;
            }
            sink(context, s.path, length);
            count++;
        }
        for (uint32_t at = 0; at < found; at++)
            s.before[s.queue[at]] = NONE;
    }
    free(s.before);
    free(s.queue);
    free(s.path);
    return count;
}

// SPDX-License-Identifier: MIT
#include "propagate/splits.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

struct tree {
    const uint32_t *next;
    uint32_t *order; // items, each before the one that it leads to
    uint32_t *items; // below each item, itself counted
    uint32_t *heavy; // of the items that lead to each one, that with the most items below it
    uint32_t *head;  // the end of each item's heavy path that is nearest to the root
    uint32_t *depth;
    double *cross; // sum of the scores between the items below and all others
};

// Items whose last leader has been ordered follow; `waiting` counts leaders.
static void order_items(struct tree *t, uint64_t items, uint32_t *waiting)
{
    uint64_t found = 0;
    for (uint64_t i = 0; i < items; i++)
        waiting[i] = 0;
    for (uint64_t i = 0; i < items; i++) {
        if (t->next[i] != CDP_NO_ITEM)
            waiting[t->next[i]]++;
    }
    for (uint64_t i = 0; i < items; i++) {
        if (!waiting[i])
            t->order[found++] = (uint32_t)i;
    }
    for (uint64_t at = 0; at < found; at++) {
        uint32_t next = t->next[t->order[at]];
        if (next != CDP_NO_ITEM && !--waiting[next])
            t->order[found++] = next;
    }
}

static void find_paths(struct tree *t, uint64_t items)
{
    for (uint64_t i = 0; i < items; i++) {
        t->items[i] = 1;
        t->heavy[i] = CDP_NO_ITEM;
    }
    for (uint64_t at = 0; at < items; at++) {
        uint32_t i = t->order[at], next = t->next[i];
        if (next == CDP_NO_ITEM)
            continue;
        t->items[next] += t->items[i];
        if (t->heavy[next] == CDP_NO_ITEM || t->items[i] > t->items[t->heavy[next]])
            t->heavy[next] = i;
    }
    for (uint64_t at = items; at-- > 0;) {
        uint32_t i = t->order[at], next = t->next[i];
        bool root = next == CDP_NO_ITEM;
        t->depth[i] = root ? 0 : t->depth[next] + 1;
        t->head[i] = root || t->heavy[next] != i ? i : t->head[next];
    }
}

// Where the paths of two items to their root meet; CDP_NO_ITEM if they have different roots.
static uint32_t meet(const struct tree *t, uint32_t a, uint32_t b)
{
    while (t->head[a] != t->head[b]) {
        if (t->depth[t->head[a]] < t->depth[t->head[b]]) {
            uint32_t other = a;
            a = b;
            b = other;
        }
        a = t->next[t->head[a]];
        if (a == CDP_NO_ITEM)
            return CDP_NO_ITEM;
    }
    return t->depth[a] < t->depth[b] ? a : b;
}

static void add_scores(struct tree *t, const struct cdp_graph *graph,
                       const struct cdp_clusters *clusters)
{
    const uint32_t *label = clusters->label;
    for (uint64_t i = 0; i < graph->items; i++)
        t->cross[i] = 0;
    for (uint64_t i = 0; i < graph->items; i++) {
        for (uint64_t e = graph->offset[i]; e < graph->offset[i + 1]; e++) {
            uint32_t j = graph->partner[e];
            if (j < i || label[i] == CDP_NO_LABEL || label[i] != label[j])
                continue;
            uint32_t both = meet(t, (uint32_t)i, j);
            if (both == CDP_NO_ITEM)
                continue;
            t->cross[i] += (double)graph->score[e];
            t->cross[j] += (double)graph->score[e];
            t->cross[both] -= 2 * (double)graph->score[e];
        }
    }
    for (uint64_t at = 0; at < graph->items; at++) {
        uint32_t i = t->order[at];
        if (t->next[i] != CDP_NO_ITEM)
            t->cross[t->next[i]] += t->cross[i];
    }
}

static void choose(struct tree *t, const struct cdp_clusters *clusters, struct cdp_split *split)
{
    // The items of each item's tree: known at the root, told to those that lead there.
    uint32_t *all = t->depth;
    for (uint64_t at = clusters->items; at-- > 0;) {
        uint32_t i = t->order[at];
        all[i] = t->next[i] == CDP_NO_ITEM ? t->items[i] : all[t->next[i]];
    }
    for (uint32_t c = 0; c < clusters->clusters; c++)
        split[c] = (struct cdp_split){.item = CDP_NO_ITEM, .mean = INFINITY};
    for (uint64_t i = 0; i < clusters->items; i++) {
        uint32_t label = clusters->label[i], below = t->items[i];
        if (t->next[i] == CDP_NO_ITEM || label == CDP_NO_LABEL || below < 2 || all[i] - below < 2)
            continue;
        double mean = t->cross[i] / ((double)below * (double)(all[i] - below));
        if (mean < split[label].mean)
            split[label] = (struct cdp_split){(uint32_t)i, below, mean};
    }
}

int cdp_splits(const struct cdp_graph *graph, const struct cdp_clusters *clusters,
             const uint32_t *next, struct cdp_split *split, struct cdp_err *err)
{
    uint64_t items = clusters->items;
    uint32_t *room = cdp_alloc(items, 5 * sizeof *room, "splits", err);
    double *cross = cdp_alloc(items, sizeof *cross, "splits", err);
    if (room && cross) {
        struct tree t = {
            next, room, room + items, room + 2 * items, room + 3 * items, room + 4 * items, cross};
        order_items(&t, items, t.items);
        find_paths(&t, items);
        add_scores(&t, graph, clusters);
        choose(&t, clusters, split);
    }
    int status = room && cross ? 0 : -1;
    free(room);
    free(cross);
    return status;
}

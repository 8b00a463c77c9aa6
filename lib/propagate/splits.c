// SPDX-License-Identifier: MIT
#include "propagate/splits.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/threads.h"

// Arrays of all items; the items of a cluster are worked on together, so that they stay in the
// cache.
struct tree {
    const struct cdp_graph *graph;
    const uint32_t *label, *next;
    uint32_t *items; // below each item, itself counted
    uint32_t *heavy; // of the items that lead to each one, that with the most items below it
    uint32_t *head;  // the end of each item's heavy path that is nearest to the root
    uint32_t *depth;
    double *cross; // sum of the scores between the items below and all others
};

// Puts the items of a cluster into an order in which each is before the one that it leads to.
static void order_items(struct tree *t, const uint32_t *member, uint64_t count, uint32_t *order)
{
    uint32_t *waiting = t->items; // how many lead there
    uint64_t found = 0;
    for (uint64_t m = 0; m < count; m++)
        waiting[member[m]] = 0;
    for (uint64_t m = 0; m < count; m++) {
        if (t->next[member[m]] != CDP_NO_ITEM)
            waiting[t->next[member[m]]]++;
    }
    for (uint64_t m = 0; m < count; m++) {
        if (!waiting[member[m]])
            order[found++] = member[m];
    }
    for (uint64_t at = 0; at < found; at++) {
        uint32_t next = t->next[order[at]];
        if (next != CDP_NO_ITEM && !--waiting[next])
            order[found++] = next;
    }
}

static void find_paths(struct tree *t, const uint32_t *order, uint64_t count)
{
    for (uint64_t at = 0; at < count; at++) {
        t->items[order[at]] = 1;
        t->heavy[order[at]] = CDP_NO_ITEM;
        t->cross[order[at]] = 0;
    }
    for (uint64_t at = 0; at < count; at++) {
        uint32_t i = order[at], next = t->next[i];
        if (next == CDP_NO_ITEM)
            continue;
        t->items[next] += t->items[i];
        if (t->heavy[next] == CDP_NO_ITEM || t->items[i] > t->items[t->heavy[next]])
            t->heavy[next] = i;
    }
    for (uint64_t at = count; at-- > 0;) {
        uint32_t i = order[at], next = t->next[i];
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

static void add_scores(struct tree *t, const uint32_t *order, uint64_t count)
{
    const struct cdp_graph *g = t->graph;
    for (uint64_t at = 0; at < count; at++) {
        uint32_t i = order[at];
        for (uint64_t e = g->offset[i]; e < g->offset[i + 1U]; e++) {
            uint32_t j = g->partner[e];
            if (j < i || t->label[j] != t->label[i])
                continue;
            uint32_t both = meet(t, i, j);
            if (both == CDP_NO_ITEM)
                continue;
            t->cross[i] += (double)g->score[e];
            t->cross[j] += (double)g->score[e];
            t->cross[both] -= 2 * (double)g->score[e];
        }
    }
    for (uint64_t at = 0; at < count; at++) {
        uint32_t i = order[at];
        if (t->next[i] != CDP_NO_ITEM)
            t->cross[t->next[i]] += t->cross[i];
    }
}

static struct cdp_split choose(struct tree *t, const uint32_t *member, const uint32_t *order,
                               uint64_t count)
{
    struct cdp_split best = {.item = CDP_NO_ITEM, .mean = INFINITY};
    // The items of each item's tree: known at the root, told to those that lead there.
    uint32_t *all = t->depth;
    for (uint64_t at = count; at-- > 0;) {
        uint32_t i = order[at];
        all[i] = t->next[i] == CDP_NO_ITEM ? t->items[i] : all[t->next[i]];
    }
    for (uint64_t m = 0; m < count; m++) {
        uint32_t i = member[m], below = t->items[i];
        if (t->next[i] == CDP_NO_ITEM || below < 2 || all[i] - below < 2)
            continue;
        double mean = t->cross[i] / ((double)below * (double)(all[i] - below));
        if (mean < best.mean)
            best = (struct cdp_split){i, below, mean};
    }
    return best;
}

int cdp_splits(const struct cdp_graph *graph, const struct cdp_clusters *clusters,
               const uint64_t *begin, const uint32_t *member, const uint32_t *next,
               struct cdp_split *split, int threads, struct cdp_err *err)
{
    uint64_t items = clusters->items;
    uint32_t *room = cdp_alloc(items, 5 * sizeof *room, "splits", err);
    double *cross = cdp_alloc(items, sizeof *cross, "splits", err);
    int status = room && cross ? 0 : -1;
    if (!status) {
        struct tree t = {
            graph, clusters->label, next, room, room + items, room + 2 * items, room + 3 * items,
            cross};
        uint32_t *order = room + 4 * items;
#pragma omp parallel for num_threads(cdp_threads(threads)) schedule(dynamic, 64)
        for (uint32_t c = 0; c < clusters->clusters; c++) {
            uint64_t count = begin[c + 1U] - begin[c];
            order_items(&t, member + begin[c], count, order + begin[c]);
            find_paths(&t, order + begin[c], count);
            add_scores(&t, order + begin[c], count);
            split[c] = choose(&t, member + begin[c], order + begin[c], count);
        }
    }
    free(room);
    free(cross);
    return status;
}

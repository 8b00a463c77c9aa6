// SPDX-License-Identifier: MIT
// An item's cluster is its component at the first threshold of the ladder at which that component
// has at most max_size items. So a link of the forest stays uncut exactly if the component around
// it, at the last threshold that the link survives, is that small.
#include "propagate/propagate.h"

#include <stdlib.h>

#include "base/mem.h"
#include "io/labels.h"
#include "propagate/forest.h"

struct work {
    const struct cdp_forest *forest;
    double *ladder; // the thresholds, ascending
    size_t rungs;
    uint32_t *order; // linked nodes by the last rung that their link survives, highest first
    size_t linked;
    uint64_t *begin;       // of each rung's nodes in `order`, counted from the highest
    uint32_t *root, *size; // union-find
};

static uint32_t find(uint32_t *root, uint32_t node)
{
    while (root[node] != node) {
        root[node] = root[root[node]];
        node = root[node];
    }
    return node;
}

static void unite(uint32_t *root, uint32_t *size, uint32_t a, uint32_t b)
{
    a = find(root, a);
    b = find(root, b);
    if (a == b)
        return;
    if (size[a] < size[b]) {
        uint32_t larger = b;
        b = a;
        a = larger;
    }
    root[b] = a;
    size[a] += size[b];
}

static void separate(struct work *w)
{
    for (uint64_t n = 0; n < w->forest->placed; n++) {
        w->root[n] = (uint32_t)n;
        w->size[n] = 1;
    }
}

// The thresholds of all rounds, up to where they stop rising: more rounds change nothing then.
static int build_ladder(struct work *w, const struct cdp_propagate_plan *plan, struct cdp_err *err)
{
    size_t room = 0;
    double threshold = (double)w->forest->floor, before;
    do {
        if (cdp_grow(&w->ladder, &room, w->rungs + 1, sizeof *w->ladder, "thresholds", err))
            return -1;
        w->ladder[w->rungs++] = threshold;
        before = threshold;
        threshold = threshold + (1 - threshold) * plan->step;
    } while (threshold > before && w->rungs <= plan->max_iter);
    return 0;
}

// The last rung whose threshold is not above the score. The first one never is. `half` is the
// largest power of two below the number of rungs.
static uint32_t last_rung(const struct work *w, uint32_t half, float score)
{
    uint32_t low = 0;
    for (uint32_t step = half; step; step /= 2) {
        uint32_t up = low + step < w->rungs ? low + step : low;
        low = (double)score >= w->ladder[up] ? up : low;
    }
    return low;
}

// Sorts the linked nodes by rung, counting.
static int sort_links(struct work *w, struct cdp_err *err)
{
    const struct cdp_link *link = w->forest->link;
    uint64_t placed = w->forest->placed;
    uint32_t highest = (uint32_t)w->rungs - 1, half = 1;
    uint32_t *rung = w->size; // counted from the highest; not needed for sizes yet
    w->begin = cdp_zalloc(w->rungs + 2, sizeof *w->begin, "thresholds", err);
    if (!w->begin)
        return -1;
    while (2 * half < w->rungs)
        half *= 2;
    uint64_t *fill = w->begin + 1; // becomes the beginnings by filling
    for (uint64_t n = 0; n < placed; n++) {
        rung[n] = highest - last_rung(w, half, link[n].score);
        fill[rung[n] + 1] += link[n].parent != n;
    }
    for (uint32_t r = 0; r < highest; r++)
        fill[r + 1] += fill[r];
    for (uint64_t n = 0; n < placed; n++) {
        if (link[n].parent != n)
            w->order[fill[rung[n]]++] = (uint32_t)n;
    }
    w->linked = fill[highest];
    return 0;
}

enum { AHEAD = 16 }; // links between the prefetch of their nodes and their use

// Unites the ends of links first .. last - 1 of `order`.
static void unite_links(struct work *w, uint64_t first, uint64_t last)
{
    const struct cdp_link *link = w->forest->link;
    for (uint64_t e = first; e < last; e++) {
        if (e + 2 * AHEAD < last)
            __builtin_prefetch(&link[w->order[e + 2 * AHEAD]]);
        if (e + AHEAD < last) {
            __builtin_prefetch(&w->root[w->order[e + AHEAD]]);
            __builtin_prefetch(&w->root[link[w->order[e + AHEAD]].parent]);
        }
        unite(w->root, w->size, w->order[e], link[w->order[e]].parent);
    }
}

// Leaves the uncut links at the front of `order`. Components that are too large at the highest
// threshold already are what the forced stop is for: their links stay, and their items are counted.
static uint64_t cut_links(struct work *w, uint64_t max_size)
{
    size_t kept = 0;
    uint64_t forced = 0;
    for (size_t r = 0; r < w->rungs; r++) {
        uint64_t first = w->begin[r], last = w->begin[r + 1];
        unite_links(w, first, last);
        if (r == 0) {
            for (uint64_t n = 0; n < w->forest->placed; n++)
                forced += w->root[n] == n && w->size[n] > max_size ? w->size[n] : 0;
        }
        for (uint64_t e = first; e < last; e++) {
            uint32_t node = w->order[e];
            if (r == 0 || w->size[find(w->root, node)] <= max_size)
                w->order[kept++] = node;
        }
    }
    w->linked = kept;
    return forced;
}

// Numbers the clusters as the components of the uncut links.
static void number_clusters(struct work *w, const struct cdp_propagate_plan *plan,
                            struct cdp_clusters *c)
{
    uint64_t placed = w->forest->placed;
    separate(w);
    unite_links(w, 0, w->linked);
    uint32_t merged = CDP_NO_PLACE;
    for (uint64_t n = 0; c->forced && plan->merge && n < placed; n++) {
        if (w->root[n] != n || w->size[n] <= plan->max_size)
            continue;
        if (merged == CDP_NO_PLACE)
            merged = (uint32_t)n;
        w->root[n] = merged;
    }
    uint32_t *number = w->order; // of a cluster, by root
    for (uint64_t n = 0; n < placed; n++)
        number[n] = CDP_NO_LABEL;
    for (uint64_t n = 0; n < c->nodes; n++) {
        uint32_t at = w->forest->place[n];
        c->label[n] = CDP_NO_LABEL;
        if (at == CDP_NO_PLACE)
            continue;
        uint32_t root = find(w->root, at);
        if (number[root] == CDP_NO_LABEL)
            number[root] = c->clusters++;
        c->label[n] = number[root];
    }
}

int cdp_propagate(const struct cdp_forest *forest, const struct cdp_propagate_plan *plan,
                  struct cdp_clusters *clusters, struct cdp_err *err)
{
    struct work w = {.forest = forest};
    int status = -1;
    *clusters = (struct cdp_clusters){.nodes = forest->nodes};
    clusters->label = cdp_alloc(forest->nodes, sizeof *clusters->label, "labels", err);
    w.order = cdp_alloc(forest->placed, sizeof *w.order, "links", err);
    w.root = cdp_alloc(forest->placed, sizeof *w.root, "components", err);
    w.size = cdp_alloc(forest->placed, sizeof *w.size, "components", err);
    if (!clusters->label || !w.order || !w.root || !w.size)
        goto end;
    if (build_ladder(&w, plan, err) || sort_links(&w, err))
        goto end;
    separate(&w);
    clusters->forced = cut_links(&w, plan->max_size);
    number_clusters(&w, plan, clusters);
    status = 0;
end:
    if (status)
        cdp_clusters_free(clusters);
    free(w.ladder);
    free(w.order);
    free(w.begin);
    free(w.root);
    free(w.size);
    return status;
}

void cdp_clusters_free(struct cdp_clusters *clusters)
{
    free(clusters->label);
    clusters->label = NULL;
}

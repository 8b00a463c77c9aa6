// SPDX-License-Identifier: MIT
#include "propagate/tree.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/sets.h"

enum { AHEAD = 16 }; // edges between the prefetch of their ends and their use

// One end of a cannot-link pair, in the list of the component of its leaf.
struct cannot_link {
    uint32_t leaf; // the other end
    uint32_t next; // in the list, or NONE
};

#define NONE UINT32_MAX

// The components so far, by union-find.
struct components {
    uint32_t *parent;
    uint32_t *node;         // of the tree, that a root's component is
    uint32_t *first_cannot; // first of a root's list; NULL where there are none at all
    uint32_t *cannot_count; // its length
    struct cannot_link *cannot;
};

// Whether a cannot-link pair has an end in each of two components: the shorter list is searched.
static bool cannot_join(const struct components *c, uint32_t a, uint32_t b)
{
    uint32_t shorter = c->cannot_count[a] < c->cannot_count[b] ? a : b,
             other = shorter == a ? b : a;
    for (uint32_t f = c->first_cannot[shorter]; f != NONE; f = c->cannot[f].next) {
        if (cdp_sets_find(c->parent, c->cannot[f].leaf) == other)
            return true;
    }
    return false;
}

// Puts the shorter of two lists before the longer one.
static void join_cannot_links(struct components *c, uint32_t into, uint32_t from)
{
    uint32_t shorter = c->cannot_count[into] < c->cannot_count[from] ? into : from;
    uint32_t first = c->first_cannot[shorter == into ? from : into];
    for (uint32_t f = c->first_cannot[shorter], next; f != NONE; f = next) {
        next = c->cannot[f].next;
        c->cannot[f].next = first;
        first = f;
    }
    c->first_cannot[into] = first;
    c->cannot_count[into] += c->cannot_count[from];
}

static void merge(struct cdp_tree *t, struct components *c, uint32_t first, uint32_t second,
                  float score)
{
    uint32_t a = cdp_sets_find(c->parent, first), b = cdp_sets_find(c->parent, second);
    if (c->cannot && isfinite(score) && cannot_join(c, a, b)) {
        t->left_out++;
        return;
    }
    uint32_t of_a = cdp_tree_size(t, c->node[a]), of_b = cdp_tree_size(t, c->node[b]);
    uint32_t larger = of_a < of_b ? b : a, smaller = of_a < of_b ? a : b;
    t->merge[t->merges] =
        (struct cdp_merge){{c->node[a], c->node[b]}, score, of_a + of_b, {first, second}};
    c->parent[smaller] = larger;
    c->node[larger] = t->leaves + t->merges++;
    if (c->cannot)
        join_cannot_links(c, larger, smaller);
}

static void merge_all(struct cdp_tree *t, struct components *c,
                      const struct cdp_forest_edges *edges)
{
    for (uint32_t b = 0; b < edges->count; b++) {
        const struct cdp_forest_edge *edge = &edges->edge[b];
        if (!edges->pairs && edges->count - b > AHEAD) {
            __builtin_prefetch(&c->parent[edge[AHEAD].end[0]]);
            __builtin_prefetch(&c->parent[edge[AHEAD].end[1]]);
        }
        uint32_t first = edges->pairs ? t->leaf[edge->end[0]] : edge->end[0];
        uint32_t second = edges->pairs ? t->leaf[edge->end[1]] : edge->end[1];
        merge(t, c, first, second, edge->score);
    }
}

static int list_cannot_links(const struct cdp_tree *t, struct components *c,
                             const struct cdp_list *cannot, struct cdp_err *err)
{
    if (cannot->count >= NONE / 2)
        return cdp_fail(err, "%zu cannot-link pairs; at most 2^31 are possible", cannot->count);
    c->cannot = cdp_alloc(2 * cannot->count, sizeof *c->cannot, "cannot-link pairs", err);
    c->first_cannot = cdp_alloc(t->leaves, sizeof *c->first_cannot, "cannot-link pairs", err);
    c->cannot_count = cdp_zalloc(t->leaves, sizeof *c->cannot_count, "cannot-link pairs", err);
    if (!c->cannot || !c->first_cannot || !c->cannot_count)
        return -1;
    for (uint32_t leaf = 0; leaf < t->leaves; leaf++)
        c->first_cannot[leaf] = NONE;
    uint32_t used = 0;
    for (size_t p = 0; p < cannot->count; p++) {
        uint64_t i = cannot->edge[p].source, j = cannot->edge[p].target;
        if (i >= t->items || j >= t->items || t->leaf[i] == CDP_NO_PLACE ||
            t->leaf[j] == CDP_NO_PLACE)
            continue; // one of them is alone
        uint32_t end[2] = {t->leaf[i], t->leaf[j]};
        for (int e = 0; e < 2; e++, used++) {
            c->cannot[used] = (struct cannot_link){end[!e], c->first_cannot[end[e]]};
            c->first_cannot[end[e]] = used;
            c->cannot_count[end[e]]++;
        }
    }
    return 0;
}

static int begin(const struct cdp_tree *t, struct components *c, const struct cdp_list *cannot,
                 struct cdp_err *err)
{
    c->parent = cdp_alloc(t->leaves, sizeof *c->parent, "components", err);
    c->node = cdp_alloc(t->leaves, sizeof *c->node, "components", err);
    if (!c->parent || !c->node)
        return -1;
    for (uint32_t leaf = 0; leaf < t->leaves; leaf++) {
        c->parent[leaf] = leaf;
        c->node[leaf] = leaf;
    }
    return cannot && cannot->count ? list_cannot_links(t, c, cannot, err) : 0;
}

int cdp_tree_new(struct cdp_tree *t, struct cdp_forest *forest, const struct cdp_list *cannot,
                 struct cdp_err *err)
{
    struct cdp_forest_edges edges;
    *t = (struct cdp_tree){0};
    if (cdp_forest_take(forest, CDP_BY_SCORE, &edges, err))
        return -1;
    struct components c = {0};
    int status = -1;
    if (edges.placed > UINT32_C(1) << 31) {
        cdp_fail(err, "%u items are in pairs; at most 2^31 can be", edges.placed);
        goto end;
    }
    t->items = edges.nodes;
    t->leaves = edges.placed;
    t->leaf = edges.place;
    edges.place = NULL;
    t->merge = cdp_alloc(edges.count, sizeof *t->merge, "the merge tree", err);
    if (!t->merge || begin(t, &c, cannot, err))
        goto end;
    merge_all(t, &c, &edges);
    status = 0;
end:
    free(c.parent);
    free(c.node);
    free(c.cannot);
    free(c.first_cannot);
    free(c.cannot_count);
    cdp_forest_edges_free(&edges);
    if (status)
        cdp_tree_free(t);
    return status;
}

void cdp_tree_free(struct cdp_tree *t)
{
    free(t->leaf);
    free(t->merge);
    *t = (struct cdp_tree){0};
}

uint32_t *cdp_tree_item(const struct cdp_tree *t, struct cdp_err *err)
{
    uint32_t *item = cdp_alloc(t->leaves, sizeof *item, "items", err);
    for (uint64_t i = 0; item && i < t->items; i++) {
        if (t->leaf[i] != CDP_NO_PLACE)
            item[t->leaf[i]] = (uint32_t)i;
    }
    return item;
}

uint32_t cdp_tree_above(const struct cdp_tree *t, float threshold)
{
    uint32_t low = 0, high = t->merges;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (t->merge[middle].score > threshold)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

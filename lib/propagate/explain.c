// SPDX-License-Identifier: MIT
#include "propagate/explain.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/mem.h"
#include "propagate/adjacency.h"

// ---- why

#define NONE UINT32_MAX

// Fills by[leaf] with the merge by which each leaf is reached from `start`, until `goal` is.
static void search(const struct cdp_tree *t, const struct cdp_adjacency *w, uint32_t start,
                   uint32_t goal, uint32_t *queue, uint32_t *by)
{
    uint32_t found = 1;
    for (uint32_t leaf = 0; leaf < t->leaves; leaf++)
        by[leaf] = NONE;
    queue[0] = start;
    for (uint32_t at = 0; at < found && by[goal] == NONE; at++) {
        uint32_t leaf = queue[at];
        for (uint64_t b = w->offset[leaf]; b < w->offset[leaf + 1]; b++) {
            const struct cdp_merge *m = &t->merge[w->edge[b]];
            uint32_t other = m->end[m->end[0] == leaf];
            if (other == start || by[other] != NONE)
                continue;
            by[other] = w->edge[b];
            queue[found++] = other;
        }
    }
}

int64_t cdp_why(const struct cdp_tree *t, uint64_t from, uint64_t to, struct cdp_step **path,
                struct cdp_err *err)
{
    *path = NULL;
    uint32_t start = t->leaf[from], goal = t->leaf[to];
    if (start == CDP_NO_PLACE || goal == CDP_NO_PLACE || start == goal)
        return 0;
    struct cdp_adjacency adjacency = {0};
    uint32_t *item = cdp_tree_item(t, err), *by = NULL, *queue = NULL;
    int64_t length = -1;
    by = cdp_alloc(t->leaves, sizeof *by, "a path", err);
    queue = cdp_alloc(t->leaves, sizeof *queue, "a path", err);
    if (!item || !by || !queue || cdp_adjacency_new(&adjacency, t, err))
        goto end;
    search(t, &adjacency, start, goal, queue, by);
    length = 0;
    for (uint32_t leaf = goal; by[goal] != NONE && leaf != start; length++)
        leaf = t->merge[by[leaf]].end[t->merge[by[leaf]].end[0] == leaf];
    *path = cdp_alloc((size_t)length, sizeof **path, "a path", err);
    if (!*path) {
        length = -1;
        goto end;
    }
    uint32_t leaf = goal;
    for (int64_t s = length; s-- > 0;) {
        const struct cdp_merge *m = &t->merge[by[leaf]];
        uint32_t before = m->end[m->end[0] == leaf];
        (*path)[s] = (struct cdp_step){item[before], item[leaf], m->score};
        leaf = before;
    }
end:
    cdp_adjacency_free(&adjacency);
    free(item);
    free(by);
    free(queue);
    return length;
}

// ---- audit

// A depth-first search (Tarjan, A note on finding the bridges of a graph, 1974). `order` numbers
// items as they are reached, from 1 on; `low` is the smallest order that the subtree of an item
// reaches without the pair to its parent; `at` the next pair of an item; `above` its parent;
// `strength` the sum of the scores of its pairs within the cluster before `at`.
struct search {
    uint32_t *order, *low, *above;
    uint64_t *at;
    double *strength;
    uint32_t reached;
};

static void reach(struct search *s, const struct cdp_graph *g, uint32_t item, uint32_t above)
{
    s->order[item] = s->low[item] = ++s->reached;
    s->above[item] = above;
    s->at[item] = g->offset[item];
    s->strength[item] = 0;
}

// All pairs of the item have been followed.
static void leave(struct search *s, const struct cdp_graph *g, uint32_t item,
                  struct cdp_audit *audit)
{
    uint32_t above = s->above[item];
    if (above != NONE) {
        s->low[above] = s->low[item] < s->low[above] ? s->low[item] : s->low[above];
        bool must = isinf(g->partner[s->at[above] - 1].score); // the pair that led to the item
        audit->bridges += s->low[item] > s->order[above] && !must;
    }
    const double *own = &s->strength[item], *most = &s->strength[audit->medoid];
    if (!audit->items++ || *own > *most || (*own == *most && item < audit->medoid))
        audit->medoid = item;
}

static void explore(struct search *s, const struct cdp_graph *g, const struct cdp_clusters *c,
                    uint32_t root, struct cdp_audit *audit)
{
    uint32_t label = c->label[root];
    reach(s, g, root, NONE);
    for (uint32_t item = root; item != NONE;) {
        if (s->at[item] == g->offset[item + 1U]) {
            leave(s, g, item, audit);
            item = s->above[item];
            continue;
        }
        const struct cdp_partner *partner = &g->partner[s->at[item]++];
        uint32_t other = partner->item;
        if (c->label[other] != label)
            continue;
        if (!isinf(partner->score)) {
            audit->pairs += other > item;
            s->strength[item] += (double)partner->score;
        }
        if (!s->order[other]) {
            reach(s, g, other, item);
            item = other;
        } else if (other != s->above[item] && s->order[other] < s->low[item]) {
            s->low[item] = s->order[other];
        }
    }
}

int cdp_audit(const struct cdp_graph *g, const struct cdp_clusters *c, struct cdp_audit *audit,
              struct cdp_err *err)
{
    struct search s = {0};
    s.order = cdp_zalloc(g->items, sizeof *s.order, "the audit", err);
    s.low = cdp_alloc(g->items, sizeof *s.low, "the audit", err);
    s.above = cdp_alloc(g->items, sizeof *s.above, "the audit", err);
    s.at = cdp_alloc(g->items, sizeof *s.at, "the audit", err);
    s.strength = cdp_alloc(g->items, sizeof *s.strength, "the audit", err);
    int status = s.order && s.low && s.above && s.at && s.strength ? 0 : -1;
    for (uint32_t l = 0; l < c->clusters; l++)
        audit[l] = (struct cdp_audit){.weakest = NAN};
    for (uint64_t i = 0; !status && i < g->items; i++) {
        if (c->label[i] != CDP_NO_LABEL && !s.order[i])
            explore(&s, g, c, (uint32_t)i, &audit[c->label[i]]);
    }
    free(s.order);
    free(s.low);
    free(s.above);
    free(s.at);
    free(s.strength);
    return status;
}

int cdp_audit_weakest(const struct cdp_tree *t, float threshold, const struct cdp_clusters *c,
                      struct cdp_audit *audit, struct cdp_err *err)
{
    uint32_t merges = cdp_tree_above(t, threshold);
    uint32_t *item = cdp_tree_item(t, err);
    if (!item)
        return -1;
    for (uint32_t m = 0; m < merges; m++) {
        const struct cdp_merge *merge = &t->merge[m];
        uint32_t label = c->label[item[merge->end[0]]];
        if (label != CDP_NO_LABEL && label == c->label[item[merge->end[1]]])
            audit[label].weakest = fminf(audit[label].weakest, merge->score);
    }
    free(item);
    return 0;
}

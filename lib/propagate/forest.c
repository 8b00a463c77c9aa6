// SPDX-License-Identifier: MIT
#include "propagate/forest.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

enum {
    CHUNK = 4096, // pairs whose nodes are looked up before they are joined
    AHEAD = 16,   // pairs between the prefetch of memory and its use
};

int cdp_forest_new(struct cdp_forest **forest, struct cdp_err *err)
{
    *forest = cdp_zalloc(1, sizeof **forest, "forest", err);
    if (!*forest)
        return -1;
    (*forest)->floor = INFINITY;
    return 0;
}

void cdp_forest_free(struct cdp_forest *forest)
{
    if (forest) {
        free(forest->place);
        free(forest->link);
    }
    free(forest);
}

uint64_t cdp_forest_nodes(const struct cdp_forest *forest)
{
    return forest->nodes;
}

int cdp_forest_reserve(struct cdp_forest *forest, uint64_t nodes, struct cdp_err *err)
{
    if (nodes >= UINT32_MAX)
        return cdp_fail(err,
                        "node %llu: at most 2^32 - 2 nodes can be clustered; number them from 0",
                        (unsigned long long)nodes - 1);
    if (cdp_grow(&forest->place, &forest->place_room, nodes, sizeof *forest->place, "forest", err))
        return -1;
    while (forest->nodes < nodes)
        forest->place[forest->nodes++] = CDP_NO_PLACE;
    return 0;
}

void cdp_forest_floor(struct cdp_forest *forest, float floor)
{
    forest->floor = fminf(forest->floor, floor);
}

// A fixed random order of the nodes (the finalizer of MurmurHash3, a bijection). Links lead from
// lower to higher, which makes the trees shallow: a path to the root is a sequence of records.
static uint32_t priority(uint32_t node)
{
    node = (node ^ node >> 16) * UINT32_C(0x85EBCA6B);
    node = (node ^ node >> 13) * UINT32_C(0xC2B2AE35);
    return node ^ node >> 16;
}

// The highest node of the component of `node` at the threshold `score`. A climb of several steps
// leaves a jump behind: path compression, but for the scores up to which it holds.
static uint32_t climb(struct cdp_link *link, uint32_t node, float score)
{
    uint32_t at = node;
    float lowest = INFINITY;
    for (int steps = 0;; steps++) {
        const struct cdp_link *l = &link[at];
        if (l->jump_score >= score) {
            lowest = l->jump_score < lowest ? l->jump_score : lowest;
            at = l->jump;
        } else if (l->score >= score) {
            lowest = l->score < lowest ? l->score : lowest;
            at = l->parent;
        } else {
            if (at != node && (steps > 1 || at != link[node].jump)) {
                link[node].jump = at;
                link[node].jump_score = lowest;
            }
            return at;
        }
    }
}

// Joins u and v at `score`, which concerns the highest nodes of their components at that score. If
// they are one, the pair tells nothing new. Otherwise the lower of the two is linked to the other,
// and what its link said before, that its old parent's component joins at a lower score, still has
// to be said of the new one.
static void join(struct cdp_link *link, uint32_t u, uint32_t v, float score)
{
    for (;;) {
        u = climb(link, u, score);
        v = climb(link, v, score);
        if (u == v)
            return;
        if (priority(u) > priority(v)) {
            uint32_t lower = v;
            v = u;
            u = lower;
        }
        uint32_t old_parent = link[u].parent;
        float old_score = link[u].score;
        link[u].parent = v;
        link[u].score = score;
        if (old_parent == u)
            return;
        u = v;
        v = old_parent;
        score = old_score;
    }
}

// The place of a node, a new one where it has none. There is room for its link.
static uint32_t place(struct cdp_forest *forest, uint64_t node)
{
    uint32_t at = forest->place[node];
    if (at == CDP_NO_PLACE) {
        at = (uint32_t)forest->placed++;
        forest->place[node] = at;
        forest->link[at] = (struct cdp_link){at, -INFINITY, at, -INFINITY};
    }
    return at;
}

static int add_chunk(struct cdp_forest *forest, const uint64_t *i, const uint64_t *j,
                     const float *score, size_t pairs, struct cdp_err *err)
{
    uint32_t u[CHUNK], v[CHUNK];
    size_t most =
        forest->nodes - forest->placed < 2 * pairs ? forest->nodes : forest->placed + 2 * pairs;
    if (cdp_grow(&forest->link, &forest->link_room, most, sizeof *forest->link, "forest", err))
        return -1;
    for (size_t p = 0; p < pairs; p++) {
        if (p + AHEAD < pairs)
            __builtin_prefetch(&forest->place[j[p + AHEAD]]);
        u[p] = place(forest, i[p]);
        v[p] = place(forest, j[p]);
    }
    struct cdp_link *link = forest->link;
    for (size_t p = 0; p < pairs; p++) {
        if (p + 2 * AHEAD < pairs)
            __builtin_prefetch(&link[v[p + 2 * AHEAD]]);
        if (p + AHEAD < pairs)
            __builtin_prefetch(&link[link[v[p + AHEAD]].jump]);
        const struct cdp_link *a = &link[u[p]], *b = &link[v[p]];
        bool known =
            (a->jump == b->jump) & (a->jump_score >= score[p]) & (b->jump_score >= score[p]);
        if (!known)
            join(link, u[p], v[p], score[p]);
    }
    return 0;
}

int cdp_forest_add(struct cdp_forest *forest, const uint64_t *i, const uint64_t *j,
                   const float *score, size_t pairs, struct cdp_err *err)
{
    uint64_t top = 0;
    float floor = forest->floor;
    for (size_t p = 0; p < pairs; p++) {
        top = i[p] > top ? i[p] : top;
        top = j[p] > top ? j[p] : top;
        floor = score[p] < floor ? score[p] : floor;
    }
    if (pairs && top >= forest->nodes && cdp_forest_reserve(forest, top + 1, err))
        return -1;
    forest->floor = floor;
    for (size_t p = 0; p < pairs; p += CHUNK) {
        size_t count = pairs - p < CHUNK ? pairs - p : CHUNK;
        if (add_chunk(forest, i + p, j + p, score + p, count, err))
            return -1;
    }
    return 0;
}

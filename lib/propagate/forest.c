// SPDX-License-Identifier: MIT
#include "propagate/forest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/sort.h"

#define INLINE static inline __attribute__((always_inline))

enum {
    CHUNK = 4096, // pairs whose nodes are looked up before they are joined
    AHEAD = 16,   // pairs between the prefetch of memory and its use
};

// A node's link to its parent, at the score that joins their components; a root's is -inf to
// itself. For every threshold t, the trees of the links with score >= t are the components of the
// pairs with score >= t.
//
// The jump is a shortcut: a node of the same component at threshold jump_score and below.
// Components only grow, so a jump stays true, if perhaps not the best one, whatever comes later.
struct link {
    uint32_t parent;
    float score;
    uint32_t jump;
    float jump_score;
};

// The ids of a pair, the smaller one first.
struct pair {
    uint32_t i, j;
};

// Nodes have places of their own, in the order of their first pair: items of one cluster mostly
// come together, and so are close in memory whatever their ids.
struct cdp_forest {
    uint32_t *place; // of each node; CDP_NO_PLACE before its first pair
    uint64_t nodes;
    size_t place_room;
    struct link *link; // by place
    struct pair *pair; // that each link stands for, by place; where pairs are remembered
    uint64_t placed;
    size_t link_room, pair_room;
    bool pairs;
};

int cdp_forest_new(struct cdp_forest **forest, bool pairs, struct cdp_err *err)
{
    *forest = cdp_zalloc(1, sizeof **forest, "forest", err);
    if (!*forest)
        return -1;
    (*forest)->pairs = pairs;
    return 0;
}

void cdp_forest_free(struct cdp_forest *forest)
{
    if (forest) {
        free(forest->place);
        free(forest->link);
        free(forest->pair);
    }
    free(forest);
}

uint64_t cdp_forest_nodes(const struct cdp_forest *forest)
{
    return forest->nodes;
}

#define MOST_NODES (UINT64_C(0xFFFFFFFF) - 1) // 2^32 - 2

static int fail_node(uint64_t node, struct cdp_err *err)
{
    return cdp_fail(
        err,
        "node %llu: at most 2^32 - 2 nodes can be clustered: number them from 0, or make a "
        "stream of names by cdp-view --from with --named",
        (unsigned long long)node);
}

int cdp_forest_reserve(struct cdp_forest *forest, uint64_t nodes, struct cdp_err *err)
{
    if (nodes > MOST_NODES)
        return fail_node(nodes - 1, err);
    if (cdp_grow(&forest->place, &forest->place_room, nodes, sizeof *forest->place, "forest", err))
        return -1;
    while (forest->nodes < nodes)
        forest->place[forest->nodes++] = CDP_NO_PLACE;
    return 0;
}

// A fixed random order of the nodes (the finalizer of MurmurHash3, a bijection). Links lead from
// lower to higher, which makes the trees shallow: a path to the root is a sequence of records.
static uint32_t priority(uint32_t node)
{
    node = (node ^ node >> 16) * UINT32_C(0x85EBCA6B);
    node = (node ^ node >> 13) * UINT32_C(0xC2B2AE35);
    return node ^ node >> 16;
}

// What links are compared with: a score, and where pairs are remembered the pair, so that no two
// are equal but of the same pair.
struct key {
    float score;
    struct pair pair;
};

// Whether a node's link joins no later than at the key.
INLINE bool reaches(const struct cdp_forest *f, uint32_t at, struct key key, bool pairs)
{
    float score = f->link[at].score;
    if (!pairs || score != key.score)
        return score >= key.score;
    struct pair own = f->pair[at];
    return own.i != key.pair.i ? own.i < key.pair.i : own.j <= key.pair.j;
}

// Of a jump only the score is known: where pairs count, it must be above the key's.
INLINE bool jumps(const struct link *l, struct key key, bool pairs)
{
    return pairs ? l->jump_score > key.score : l->jump_score >= key.score;
}

// The highest node of the component of `node` at the key. A climb of several steps leaves a jump
// behind: path compression, but for the scores up to which it holds.
INLINE uint32_t climb(const struct cdp_forest *f, uint32_t node, struct key key, bool pairs)
{
    struct link *link = f->link;
    uint32_t at = node;
    float lowest = INFINITY;
    for (int steps = 0;; steps++) {
        const struct link *l = &link[at];
        if (jumps(l, key, pairs)) {
            lowest = l->jump_score < lowest ? l->jump_score : lowest;
            at = l->jump;
        } else if (reaches(f, at, key, pairs)) {
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

// Joins u and v at the key: the highest nodes of their components at it. If these are one, nothing
// changes. Otherwise the lower one is linked to the other. Its previous link joined it to its old
// parent at a lower score, so the new parent and the old one are joined next, at that score.
INLINE void join(struct cdp_forest *f, uint32_t u, uint32_t v, struct key key, bool pairs)
{
    struct link *link = f->link;
    for (;;) {
        u = climb(f, u, key, pairs);
        v = climb(f, v, key, pairs);
        if (u == v)
            return;
        if (priority(u) > priority(v)) {
            uint32_t lower = v;
            v = u;
            u = lower;
        }
        uint32_t old_parent = link[u].parent;
        struct key old = {link[u].score, {0}};
        link[u].parent = v;
        link[u].score = key.score;
        if (pairs) {
            old.pair = f->pair[u];
            f->pair[u] = key.pair;
        }
        if (old_parent == u)
            return;
        u = v;
        v = old_parent;
        key = old;
    }
}

// The place of a node, a new one where it has none. There is room for its link.
static uint32_t place(struct cdp_forest *forest, uint64_t node)
{
    uint32_t at = forest->place[node];
    if (at == CDP_NO_PLACE) {
        at = (uint32_t)forest->placed++;
        forest->place[node] = at;
        forest->link[at] = (struct link){at, -INFINITY, at, -INFINITY};
    }
    return at;
}

// Joins the places u and v of pairs i, j. `pairs` is constant in each call.
INLINE void join_chunk(struct cdp_forest *f, const uint32_t *u, const uint32_t *v,
                       const uint64_t *i, const uint64_t *j, const float *score, size_t count,
                       bool pairs)
{
    const struct link *link = f->link;
    for (size_t p = 0; p < count; p++) {
        if (p + 2 * AHEAD < count)
            __builtin_prefetch(&link[v[p + 2 * AHEAD]]);
        if (p + AHEAD < count)
            __builtin_prefetch(&link[link[v[p + AHEAD]].jump]);
        const struct link *a = &link[u[p]], *b = &link[v[p]];
        struct key key = {score[p], {0}};
        if (pairs) {
            key.pair.i = (uint32_t)(i[p] < j[p] ? i[p] : j[p]);
            key.pair.j = (uint32_t)(i[p] < j[p] ? j[p] : i[p]);
        }
        // Branch-free: which of the three fails is unpredictable.
        int known =
            (int)(a->jump == b->jump) & (int)jumps(a, key, pairs) & (int)jumps(b, key, pairs);
        if (!known)
            join(f, u[p], v[p], key, pairs);
    }
}

static int add_chunk(struct cdp_forest *forest, const uint64_t *i, const uint64_t *j,
                     const float *score, size_t pairs, struct cdp_err *err)
{
    uint32_t u[CHUNK], v[CHUNK];
    size_t most =
        forest->nodes - forest->placed < 2 * pairs ? forest->nodes : forest->placed + 2 * pairs;
    if (cdp_grow(&forest->link, &forest->link_room, most, sizeof *forest->link, "forest", err) ||
        (forest->pairs &&
         cdp_grow(&forest->pair, &forest->pair_room, most, sizeof *forest->pair, "forest", err)))
        return -1;
    for (size_t p = 0; p < pairs; p++) {
        if (p + AHEAD < pairs)
            __builtin_prefetch(&forest->place[j[p + AHEAD]]);
        u[p] = place(forest, i[p]);
        v[p] = place(forest, j[p]);
    }
    if (forest->pairs)
        join_chunk(forest, u, v, i, j, score, pairs, true);
    else
        join_chunk(forest, u, v, i, j, score, pairs, false);
    return 0;
}

int cdp_forest_add(struct cdp_forest *forest, const uint64_t *i, const uint64_t *j,
                   const float *score, size_t pairs, struct cdp_err *err)
{
    uint64_t top = 0;
    for (size_t p = 0; p < pairs; p++) {
        top = i[p] > top ? i[p] : top;
        top = j[p] > top ? j[p] : top;
    }
    if (top >= MOST_NODES)
        return fail_node(top, err);
    if (pairs && top >= forest->nodes && cdp_forest_reserve(forest, top + 1, err))
        return -1;
    for (size_t p = 0; p < pairs; p += CHUNK) {
        size_t count = pairs - p < CHUNK ? pairs - p : CHUNK;
        if (add_chunk(forest, i + p, j + p, score + p, count, err))
            return -1;
    }
    return 0;
}

// ---- the edges

// A score as a number that is the smaller the higher the score is; zeros are equal.
static uint32_t descending(float score)
{
    uint32_t bits = cdp_float_bits(score + 0.0F);
    return bits >> 31 ? bits : ~bits & 0x7FFFFFFF;
}

static uint64_t score_key(const void *edge)
{
    return descending(((const struct cdp_forest_edge *)edge)->score);
}

static uint64_t smaller_end(const void *edge)
{
    return ((const struct cdp_forest_edge *)edge)->end[0];
}

static uint64_t larger_end(const void *edge)
{
    return ((const struct cdp_forest_edge *)edge)->end[1];
}

// Writes the edges over the links, whose memory they take: an edge is no larger than a link, and
// none is written before its link is read.
static struct cdp_forest_edge *edges_of(struct cdp_forest *f, uint32_t *count)
{
    struct cdp_forest_edge *edge = (struct cdp_forest_edge *)(void *)f->link;
    *count = 0;
    for (uint32_t n = 0; n < f->placed; n++) {
        struct link l;
        memcpy(&l, &f->link[n], sizeof l);
        if (l.parent == n)
            continue;
        struct cdp_forest_edge b = {l.score, {n, l.parent}};
        if (f->pairs)
            b = (struct cdp_forest_edge){l.score, {f->pair[n].i, f->pair[n].j}};
        memcpy(&edge[(*count)++], &b, sizeof b);
    }
    f->link = NULL;
    return edge;
}

int cdp_forest_take(struct cdp_forest *f, enum cdp_forest_order order,
                    struct cdp_forest_edges *edges, struct cdp_err *err)
{
    *edges = (struct cdp_forest_edges){f->place, f->nodes, (uint32_t)f->placed, f->pairs, 0, NULL};
    edges->edge = edges_of(f, &edges->count);
    bool pairs = f->pairs;
    free(f->pair);
    *f = (struct cdp_forest){.pairs = pairs};
    struct cdp_radix r = {.items = edges->edge};
    const size_t size = sizeof *edges->edge;
    r.spare = cdp_alloc(edges->count, size, "the forest, sorted", err);
    if (!r.spare) {
        cdp_forest_edges_free(edges);
        return -1;
    }
    if (pairs) {
        cdp_radix_sort(&r, edges->count, size, larger_end);
        cdp_radix_sort(&r, edges->count, size, smaller_end);
    }
    if (order == CDP_BY_SCORE)
        cdp_radix_sort(&r, edges->count, size, score_key);
    edges->edge = r.items;
    free(r.spare);
    return 0;
}

void cdp_forest_edges_free(struct cdp_forest_edges *edges)
{
    free(edges->place);
    free(edges->edge);
    *edges = (struct cdp_forest_edges){0};
}

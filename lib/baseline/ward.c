// SPDX-License-Identifier: MIT
#include "baseline/ward.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/isa.h"
#include "base/mem.h"
#include "base/sets.h"
#include "base/threads.h"
#include "base/vectors.h"
#include "baseline/components.h"
#include "baseline/links.h"

// A cluster is named by its smallest item. Its edges are fixed when it is made. Each end has the
// edge, but the cluster of the larger number, which was made later, knows its cost: the other one
// has not changed since, or its number would be larger.
struct edge {
    double cost; // where the other cluster's number is smaller
    uint32_t other;
};

struct cluster {
    struct edge *edge;
    uint32_t edges;
    uint32_t number; // GONE: merged into another
    uint32_t size;
    uint32_t best; // the edge that is in the heap
};

enum { LANES = 8 };
static const uint32_t GONE = UINT32_MAX;

// The cheapest edge of a cluster to one of a smaller number.
struct candidate {
    double cost;
    uint32_t number, other_number, name;
};

struct ward {
    uint64_t items;
    size_t stride; // numbers of a mean: the dimension, rounded up to LANES
    double *mean;
    struct cluster *cluster;
    uint32_t *parent;       // sets of items
    struct candidate *heap; // at most one a cluster
    uint64_t waiting;       // candidates in the heap
    uint32_t *seen;         // by name: the number of the last cluster it was found adjacent to
    struct edge *room;      // edges of the cluster that is made
    size_t rooms;
    int threads;
};

// ---- costs

// A fixed order of sums: eight partial ones, added pairwise.
CDP_INLINE double square_of(const double *x, const double *y, size_t stride)
{
    cdp_doubles low = {0}, high = {0}, a, b;
    for (size_t d = 0; d < stride; d += LANES) {
        memcpy(&a, x + d, sizeof a);
        memcpy(&b, y + d, sizeof b);
        low += (a - b) * (a - b);
        memcpy(&a, x + d + 4, sizeof a);
        memcpy(&b, y + d + 4, sizeof b);
        high += (a - b) * (a - b);
    }
    low += high;
    return (low[0] + low[2]) + (low[1] + low[3]);
}

#define COSTS(isa, attribute)                                                                   \
    attribute static void costs_##isa(const struct ward *w, uint32_t name, struct edge *edge,   \
                                      uint32_t from, uint32_t end)                              \
    {                                                                                           \
        const double *mean = w->mean + name * w->stride, size = w->cluster[name].size;          \
        for (uint32_t e = from; e < end; e++) {                                                 \
            const double *other = w->mean + edge[e].other * w->stride;                          \
            double others = w->cluster[edge[e].other].size;                                     \
            if (e + 1 < end)                                                                    \
                cdp_fetch(w->mean + edge[e + 1].other * w->stride, w->stride * sizeof *other);  \
            edge[e].cost = size * others / (size + others) * square_of(mean, other, w->stride); \
        }                                                                                       \
    }

COSTS(plain, )
#ifdef __x86_64__
COSTS(avx2, __attribute__((target("avx2"))))
#endif

static void costs(const struct ward *w, uint32_t name, struct edge *edge, uint32_t from,
                  uint32_t end)
{
#ifdef __x86_64__
    if (cdp_isa() >= CDP_ISA_AVX2) {
        costs_avx2(w, name, edge, from, end);
        return;
    }
#endif
    costs_plain(w, name, edge, from, end);
}

// ---- the heap

static bool cheaper(const struct candidate *a, const struct candidate *b)
{
    if (a->cost != b->cost)
        return a->cost < b->cost;
    if (a->number != b->number)
        return a->number < b->number;
    return a->other_number < b->other_number;
}

static void push(struct ward *w, struct candidate candidate)
{
    uint64_t at = w->waiting++;
    for (; at > 0 && cheaper(&candidate, &w->heap[(at - 1) / 2]); at = (at - 1) / 2)
        w->heap[at] = w->heap[(at - 1) / 2];
    w->heap[at] = candidate;
}

static struct candidate pop(struct ward *w)
{
    struct candidate top = w->heap[0], last = w->heap[--w->waiting];
    uint64_t at = 0;
    for (uint64_t child; (child = 2 * at + 1) < w->waiting; at = child) {
        if (child + 1 < w->waiting && cheaper(&w->heap[child + 1], &w->heap[child]))
            child++;
        if (!cheaper(&w->heap[child], &last))
            break;
        w->heap[at] = w->heap[child];
    }
    w->heap[at] = last;
    return top;
}

// Pushes the cheapest edge of a cluster to one of a smaller number, if there is one.
static void push_best(struct ward *w, uint32_t name)
{
    struct cluster *own = &w->cluster[name];
    struct candidate best = {.number = GONE};
    for (uint32_t e = 0; e < own->edges; e++) {
        const struct cluster *other = &w->cluster[own->edge[e].other];
        if (other->number > own->number)
            continue;
        struct candidate candidate = {own->edge[e].cost, own->number, other->number, name};
        if (best.number == GONE || cheaper(&candidate, &best)) {
            best = candidate;
            own->best = e;
        }
    }
    if (best.number != GONE)
        push(w, best);
}

// ---- the graph

static void add_edge(struct ward *w, uint32_t name, uint32_t other)
{
    struct cluster *own = &w->cluster[name];
    own->edge[own->edges++].other = other;
}

static int add_edges(struct ward *w, const struct cdp_links *graph, const struct cdp_bridge *bridge,
                     uint64_t bridges, struct cdp_err *err)
{
    for (uint64_t b = 0; b < bridges; b++) {
        w->cluster[bridge[b].later].edges++;
        w->cluster[bridge[b].earlier].edges++;
    }
    for (uint64_t i = 0; i < w->items; i++) {
        struct cluster *own = &w->cluster[i];
        uint64_t count = graph->begin[i + 1] - graph->begin[i] + own->edges;
        own->edge = cdp_alloc(count, sizeof *own->edge, "edges", err);
        own->edges = 0;
        if (!own->edge)
            return -1;
        for (uint64_t e = graph->begin[i]; e < graph->begin[i + 1]; e++)
            add_edge(w, (uint32_t)i, graph->target[e]);
    }
    for (uint64_t b = 0; b < bridges; b++) {
        add_edge(w, bridge[b].later, bridge[b].earlier);
        add_edge(w, bridge[b].earlier, bridge[b].later);
    }
    return 0;
}

static int connect(struct ward *w, const struct cdp_rows *rows, const struct cdp_neighbours *lists,
                   struct cdp_progress *progress, struct cdp_err *err)
{
    struct cdp_links graph;
    struct cdp_bridge *bridge = NULL;
    int64_t count = cdp_components(lists, w->seen, err);
    if (count < 0 ||
        cdp_components_join(rows, w->seen, (uint64_t)count, &bridge, w->threads, progress, err))
        return -1;
    uint64_t bridges = (uint64_t)count * (uint64_t)(count - (count > 0)) / 2;
    int status = cdp_links_new(&graph, lists, -INFINITY, w->threads, progress, err);
    if (!status)
        status = add_edges(w, &graph, bridge, bridges, err);
    cdp_links_free(&graph);
    free(bridge);
    return status;
}

// The costs of the edges between items, each at its larger end.
static void first_costs(struct ward *w, const struct cdp_progress *progress)
{
#pragma omp parallel for num_threads(w->threads) schedule(dynamic, 64)
    for (uint64_t i = 0; i < w->items; i++) {
        struct cluster *own = &w->cluster[i];
        uint32_t smaller = 0;
        if (cdp_progress_stopped(progress))
            continue;
        for (uint32_t e = 0; e < own->edges; e++) {
            if (own->edge[e].other < i) {
                struct edge edge = own->edge[e];
                own->edge[e] = own->edge[smaller];
                own->edge[smaller++] = edge;
            }
        }
        costs(w, (uint32_t)i, own->edge, 0, smaller);
    }
    for (uint64_t i = 0; i < w->items; i++)
        push_best(w, (uint32_t)i);
}

// ---- merging

// Appends the clusters adjacent to `from`, except `name`, to the edges being made.
static void gather(struct ward *w, const struct cluster *from, uint32_t name, uint32_t number,
                   uint32_t *count)
{
    for (uint32_t e = 0; e < from->edges; e++) {
        uint32_t other = cdp_sets_find(w->parent, from->edge[e].other);
        if (other == name || w->seen[other] == number)
            continue;
        w->seen[other] = number;
        w->room[(*count)++].other = other;
    }
}

enum { SHARED_COSTS = 1 << 17 }; // numbers to read from which two threads are faster than one

static void share_costs(struct ward *w, uint32_t name, uint32_t count)
{
    uint32_t parts = count * w->stride < SHARED_COSTS ? 1 : (uint32_t)w->threads;
#pragma omp parallel for num_threads(w->threads) schedule(static, 1) if (parts > 1)
    for (uint32_t part = 0; part < parts; part++)
        costs(w, name, w->room, (uint32_t)((uint64_t)count * part / parts),
              (uint32_t)((uint64_t)count * (part + 1) / parts));
}

// Merges two clusters into that of the smaller name, which takes the number.
static int merge_into(struct ward *w, uint32_t name, uint32_t gone, uint32_t number,
                      struct cdp_err *err)
{
    struct cluster *own = &w->cluster[name], *other = &w->cluster[gone];
    double *mean = w->mean + name * w->stride, *others = w->mean + gone * w->stride;
    double share = (double)other->size / ((double)own->size + other->size);
    for (size_t d = 0; d < w->stride; d++)
        mean[d] += (others[d] - mean[d]) * share;
    own->size += other->size;
    cdp_sets_join(w->parent, name, gone);
    if (cdp_grow(&w->room, &w->rooms, (size_t)own->edges + other->edges, sizeof *w->room, "edges",
                 err))
        return -1;
    uint32_t count = 0;
    gather(w, own, name, number, &count);
    gather(w, other, name, number, &count);
    free(own->edge);
    free(other->edge);
    *other = (struct cluster){.number = GONE};
    own->number = number;
    own->edges = count;
    own->edge = cdp_alloc(count, sizeof *own->edge, "edges", err);
    if (!own->edge)
        return -1;
    share_costs(w, name, count);
    memcpy(own->edge, w->room, count * sizeof *own->edge);
    push_best(w, name);
    return 0;
}

static int merge_steps(struct ward *w, uint64_t steps, struct cdp_merged *merge,
                       struct cdp_progress *progress, struct cdp_err *err)
{
    for (uint64_t step = 0; step < steps;) {
        if (cdp_progress_check(progress, err))
            return -1;
        struct candidate top = pop(w);
        const struct cluster *own = &w->cluster[top.name];
        if (own->number != top.number)
            continue;
        uint32_t other = own->edge[own->best].other;
        if (w->cluster[other].number != top.other_number) {
            push_best(w, top.name);
            continue;
        }
        uint32_t name = top.name < other ? top.name : other;
        if (merge)
            merge[step] = (struct cdp_merged){{top.other_number, top.number},
                                              own->size + w->cluster[other].size,
                                              sqrt(2 * top.cost)};
        if (merge_into(w, name, top.name ^ other ^ name, (uint32_t)(w->items + step), err))
            return -1;
        step++;
        cdp_progress_add(progress, 1);
    }
    return 0;
}

static int allocate(struct ward *w, const struct cdp_rows *rows, struct cdp_err *err)
{
    w->items = rows->count;
    w->stride = (rows->dim + LANES - 1) / LANES * LANES;
    w->mean = cdp_alloc_aligned(w->items, w->stride * sizeof *w->mean, "means", err);
    w->cluster = cdp_zalloc(w->items, sizeof *w->cluster, "clusters", err);
    w->parent = cdp_alloc(w->items, sizeof *w->parent, "sets of items", err);
    w->heap = cdp_alloc(w->items, sizeof *w->heap, "merges", err);
    w->seen = cdp_alloc(w->items, sizeof *w->seen, "items", err);
    if (!w->mean || !w->cluster || !w->parent || !w->heap || !w->seen)
        return -1;
    cdp_sets_init(w->parent, (uint32_t)w->items);
#pragma omp parallel for num_threads(w->threads) schedule(static)
    for (uint64_t i = 0; i < w->items; i++) {
        double *mean = w->mean + i * w->stride;
        cdp_rows_unit(rows, i, mean);
        for (size_t d = rows->dim; d < w->stride; d++)
            mean[d] = 0;
        w->cluster[i].number = (uint32_t)i;
        w->cluster[i].size = 1;
    }
    return 0;
}

static void release(struct ward *w)
{
    for (uint64_t i = 0; w->cluster && i < w->items; i++)
        free(w->cluster[i].edge);
    free(w->mean);
    free(w->cluster);
    free(w->parent);
    free(w->heap);
    free(w->seen);
    free(w->room);
}

int cdp_ward(const struct cdp_rows *rows, const struct cdp_neighbours *lists, uint64_t clusters,
             uint32_t *label, struct cdp_merged *merge, int threads, struct cdp_progress *progress,
             struct cdp_err *err)
{
    struct ward w = {.threads = cdp_threads(threads)};
    uint64_t steps = rows->count > clusters ? rows->count - clusters : 0;
    if (rows->count > INT32_MAX)
        return cdp_fail(err, "%s: %llu rows: ward takes at most 2^31 - 1", rows->matrix->name,
                        (unsigned long long)rows->count);
    int status = allocate(&w, rows, err);
    status = status ? status : cdp_progress_check(progress, err);
    if (!status)
        status = connect(&w, rows, lists, progress, err);
    if (!status) {
        memset(w.seen, 0xff, w.items * sizeof *w.seen);
        cdp_progress_start(progress, "merging", "merges", steps);
        first_costs(&w, progress);
        status = merge_steps(&w, steps, merge, progress, err);
    }
    for (uint64_t i = 0; label && i < w.items && !status; i++)
        label[i] = cdp_sets_find(w.parent, (uint32_t)i);
    release(&w);
    return status;
}

// SPDX-License-Identifier: MIT
#include "baseline/mst.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/sets.h"
#include "base/threads.h"
#include "baseline/shortcuts.h"
#include "baseline/spanning.h"
#include "knn/data/duplicates.h"
#include "knn/knn.h"

enum {
    CHUNK = 4,                     // list entries a row that are merged together: 64 bytes a row
    REPRESENTATIVE_NEIGHBOURS = 4, // components that each one is joined with at once
};

// Distances are rounded in the last bits, and lists are ranked by another formula.
static const double ROUNDING = 0x1p-40;

// For progress: the share of merging the lists, about.
static const double LISTS_SHARE = 0.3;

struct mst {
    const struct cdp_rows *rows;
    const struct cdp_neighbours *lists;
    const double *core;
    int threads;
    struct cdp_progress *progress;
    struct cdp_duplicates copies;
    struct cdp_spanning forest; // of distinct rows: nodes are groups of equal rows, then renumbered
    uint32_t *first;            // the first row of each node
};

static double core_of(const struct mst *m, uint32_t row)
{
    return m->core ? m->core[row] : 0;
}

void cdp_mst_cores(double *core, const struct cdp_rows *rows, const struct cdp_neighbours *lists,
                   uint64_t min_samples, int threads)
{
#pragma omp parallel for num_threads(cdp_threads(threads)) schedule(static)
    for (uint64_t i = 0; i < rows->count; i++) {
        core[i] = min_samples > rows->count ? INFINITY : 0;
        if (min_samples > 1 && min_samples <= rows->count)
            core[i] = sqrt(cdp_rows_square(rows, i, lists->target[i * lists->k + min_samples - 2]));
    }
}

// ---- the lists

// edge[0 .. count - 1] = the pairs of node x and entries from `from` on of its list
static void set_pairs(const struct mst *m, struct cdp_joined *edge, uint32_t x, uint32_t from,
                      uint32_t count)
{
    const uint32_t *target = m->lists->target + (uint64_t)m->first[x] * m->lists->k + from;
    double square[CHUNK];
    cdp_rows_squares(m->rows, m->first[x], target, count, square);
    for (uint32_t i = 0; i < count; i++) {
        double core = fmax(core_of(m, m->first[x]), core_of(m, target[i]));
        edge[i] = (struct cdp_joined){{x, cdp_duplicates_group(&m->copies, target[i])},
                                      fmax(core, sqrt(square[i]))};
    }
}

static int merge_lists(struct mst *m, struct cdp_err *err)
{
    uint32_t nodes = m->forest.nodes;
    cdp_progress_stage(m->progress, LISTS_SHARE, m->lists->k);
    for (uint32_t from = 0; from < m->lists->k; from += CHUNK) {
        uint32_t count = m->lists->k - from < CHUNK ? m->lists->k - from : CHUNK;
        if (cdp_progress_check(m->progress, err))
            return -1;
        struct cdp_joined *edge = cdp_spanning_offer(&m->forest, (size_t)nodes * count, err);
        if (!edge)
            return -1;
#pragma omp parallel for num_threads(m->threads) schedule(static)
        for (uint32_t x = 0; x < nodes; x++)
            set_pairs(m, edge + (size_t)x * count, x, from, count);
        if (cdp_spanning_merge(&m->forest, err))
            return -1;
        cdp_progress_add(m->progress, count);
    }
    return 0;
}

// ---- components that the lists leave apart

struct receiver {
    struct mst *mst;
    const uint32_t *node; // of each representative
};

static int receive(void *context, uint64_t row, const uint32_t *target, const float *distance,
                   uint32_t count, struct cdp_err *err)
{
    const struct receiver *r = context;
    struct mst *m = r->mst;
    (void)distance; // it is rounded
    struct cdp_joined *edge = cdp_spanning_offer(&m->forest, count, err);
    for (uint32_t i = 0; edge && i < count; i++) {
        uint32_t a = r->node[row], b = r->node[target[i]];
        double core = fmax(core_of(m, m->first[a]), core_of(m, m->first[b]));
        double square = cdp_rows_square(m->rows, m->first[a], m->first[b]);
        edge[i] = (struct cdp_joined){{a, b}, fmax(core, sqrt(square))};
    }
    return edge ? 0 : -1;
}

// Joins each component with those nearest to it, as far as one row of each tells.
static int connect_nearest(struct mst *m, uint32_t *node, uint32_t *pick, struct cdp_err *err)
{
    uint32_t count = 0;
    for (uint32_t x = 0; x < m->forest.nodes; x++) {
        if (m->forest.part[x] == x) {
            pick[count] = (uint32_t)cdp_matrix_origin(m->rows->matrix, m->first[x]);
            node[count++] = x;
        }
    }
    struct cdp_matrix some = *m->rows->matrix;
    some.rows = count;
    some.pick = pick;
    struct cdp_progress progress = cdp_progress_within(m->progress);
    struct cdp_knn_plan plan = {
        .k = count <= REPRESENTATIVE_NEIGHBOURS ? count - 1 : REPRESENTATIVE_NEIGHBOURS,
        .metric = CDP_COSINE,
        .last = count,
        .threads = m->threads,
        .progress = &progress,
        .recall = 0.9,
    };
    struct cdp_knn_result result;
    struct receiver receiver = {m, node};
    return cdp_knn(&some, &plan, receive, &receiver, &result, err) ||
           cdp_spanning_merge(&m->forest, err);
}

static int connect(struct mst *m, struct cdp_err *err)
{
    uint32_t nodes = m->forest.nodes;
    uint32_t *node = cdp_alloc(nodes, sizeof *node, "components", err);
    uint32_t *pick = cdp_alloc(nodes, sizeof *pick, "components", err);
    int status = node && pick ? 0 : -1;
    while (!status && m->forest.tree + 1 < nodes)
        status = connect_nearest(m, node, pick, err);
    free(node);
    free(pick);
    return status ? -1 : 0;
}

// Joins all components at height INFINITY.
static int connect_apart(struct mst *m, struct cdp_err *err)
{
    for (uint32_t x = 1; x < m->forest.nodes; x++) {
        if (m->forest.part[x] != x || m->forest.part[0] == x)
            continue;
        struct cdp_joined *edge = cdp_spanning_offer(&m->forest, 1, err);
        if (!edge)
            return -1;
        *edge = (struct cdp_joined){{m->forest.part[0], x}, INFINITY};
    }
    return cdp_spanning_merge(&m->forest, err);
}

// ---- all other pairs

// Pairs of a row that are not in its list are not below the last entry.
static double radius_of(const struct mst *m, uint32_t row)
{
    uint32_t k = m->lists->k;
    if (k + 1 == m->rows->count)
        return INFINITY;
    uint32_t last = m->lists->target[(uint64_t)row * k + k - 1];
    double distance = sqrt(cdp_rows_square(m->rows, row, last)) * (1 - ROUNDING) - ROUNDING;
    return fmax(core_of(m, row), distance);
}

static int merge_others(struct mst *m, double limit, struct cdp_err *err)
{
    uint32_t nodes = m->forest.nodes;
    uint32_t *old = cdp_alloc(nodes, sizeof *old, "a spanning forest", err);
    struct cdp_shortcut_node *node = cdp_alloc(nodes, sizeof *node, "rows", err);
    int status = !old || !node || cdp_spanning_renumber(&m->forest, old, err);
    for (uint32_t x = 0; !status && x < nodes; x++)
        old[x] = m->first[old[x]];
    if (!status) {
        free(m->first);
        m->first = old;
        old = NULL;
#pragma omp parallel for num_threads(m->threads) schedule(static)
        for (uint32_t x = 0; x < nodes; x++)
            node[x] = (struct cdp_shortcut_node){m->first[x], core_of(m, m->first[x]),
                                                 radius_of(m, m->first[x])};
        status = cdp_shortcuts(&m->forest, m->rows, node, limit, m->threads, m->progress, err);
    }
    free(old);
    free(node);
    return status ? -1 : 0;
}

// ---- the result

static int by_height(const void *a, const void *b)
{
    const struct cdp_joined *x = a, *y = b;
    if (x->height != y->height)
        return x->height < y->height ? -1 : 1;
    if (x->end[0] != y->end[0])
        return x->end[0] < y->end[0] ? -1 : 1;
    return x->end[1] < y->end[1] ? -1 : x->end[1] > y->end[1];
}

// The edges of the forest, and those of equal rows.
static void set_edges(const struct mst *m, struct cdp_joined *edge)
{
    uint64_t at = 0;
    for (; at < m->forest.tree; at++) {
        edge[at] = m->forest.edge[at];
        edge[at].end[0] = m->first[edge[at].end[0]];
        edge[at].end[1] = m->first[edge[at].end[1]];
    }
    for (uint32_t row = 0; m->copies.group && row < m->rows->count; row++) {
        uint32_t first = cdp_duplicates_first(&m->copies, m->copies.group[row]);
        if (row != first)
            edge[at++] = (struct cdp_joined){{first, row}, core_of(m, row)};
    }
}

// Sorts the edges, and replaces their ends by the first rows of the components that they join: see
// the header.
static int name_by_first(struct cdp_joined *edge, uint64_t items, struct cdp_err *err)
{
    uint32_t *parent = cdp_alloc(items, sizeof *parent, "sets of items", err);
    if (!parent)
        return -1;
    cdp_sets_init(parent, (uint32_t)items);
    qsort(edge, items - 1, sizeof *edge, by_height);
    for (uint64_t from = 0, end; from + 1 < items; from = end) {
        // A join leaves the smaller of two roots: each root but the smallest goes once.
        for (end = from; end + 1 < items && edge[end].height == edge[from].height; end++) {
            uint32_t a = cdp_sets_find(parent, edge[end].end[0]);
            uint32_t b = cdp_sets_find(parent, edge[end].end[1]);
            cdp_sets_join(parent, a, b);
            edge[end].end[1] = a > b ? a : b;
        }
        for (uint64_t e = from; e < end; e++)
            edge[e].end[0] = cdp_sets_find(parent, edge[e].end[1]);
    }
    free(parent);
    qsort(edge, items - 1, sizeof *edge, by_height);
    return 0;
}

int cdp_mst(struct cdp_joined *edge, const struct cdp_rows *rows,
            const struct cdp_neighbours *lists, const double *core, double limit, int threads,
            struct cdp_progress *progress, struct cdp_err *err)
{
    struct mst m = {.rows = rows,
                    .lists = lists,
                    .core = core,
                    .threads = cdp_threads(threads),
                    .progress = progress};
    if (rows->count < 2)
        return 0;
    cdp_progress_start(progress, "spanning tree", "blocks of pairs", 0);
    int status = cdp_progress_check(progress, err) ||
                 cdp_duplicates_find(&m.copies, rows->matrix, m.threads, err) ||
                 cdp_progress_check(progress, err);
    uint32_t nodes = (uint32_t)m.copies.groups;
    if (!status)
        m.first = cdp_alloc(nodes, sizeof *m.first, "rows", err);
    status = status || !m.first || cdp_spanning_new(&m.forest, nodes, err);
    for (uint32_t x = 0; !status && x < nodes; x++)
        m.first[x] = cdp_duplicates_first(&m.copies, x);
    if (!status)
        status = merge_lists(&m, err) ||
                 (isinf(limit) ? connect(&m, err) : connect_apart(&m, err)) ||
                 (limit >= 0 && merge_others(&m, limit, err));
    if (!status) {
        set_edges(&m, edge);
        status = name_by_first(edge, rows->count, err);
    }
    free(m.first);
    cdp_spanning_free(&m.forest);
    cdp_duplicates_free(&m.copies);
    return status ? -1 : 0;
}

// SPDX-License-Identifier: MIT
// Exact neighbours in two steps: a fast pass in single precision finds, for each query, every item
// that could be among its k nearest; those are ranked by distances in double precision.
//
// The pass gives a score s~ of which larger is nearer. With u = 2^-24, g = n u / (1 - n u) bounds
// the relative error of n roundings (Higham, Accuracy and Stability of Numerical Algorithms,
// section 3.1), and
//
//   cosine, angular  s = x.y of the rows scaled to length 1. The scaling rounds each number once,
//   so
//                    the exact product of the rounded rows is within 2u + u^2 of the cosine, and
//                    |s~ - s| <= g (n = dim) of that: together within g of n = dim + 4.
//   l2               s = x.y - y.y/2, of which |x - y|^2 = x.x - 2s. |s~ - s| <= g (|x| M + M^2 /
//   2)
//                    with n = dim + 4 and M the largest length in the panel: a row of huge numbers
//                    spoils the bound of its own panel only.
//   l1               s = -sum |x - y|: all terms have one sign, so |s~| <= |s| (1 + g), n = dim
//   + 1. linf             s = -max |x - y|: one rounding, |s~| <= |s| (1 + u). hamming exact: at
//   most 2^24 bits.
//
// An item is passed over only where s~ is below the score of the k-th nearest so far less this
// bound: it is farther, for certain. Where s~ is not a number, because numbers overflowed, it is
// ranked.
#include "knn/knn.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/threads.h"
#include "knn/exact.h"
#include "knn/tile.h"

enum {
    ROWS = CDP_TILE_ROWS,
    COLUMNS = CDP_TILE_COLUMNS,
    GROUP = 32 * ROWS,    // queries that meet a panel while it is in the first-level cache
    WAITING = 48,         // candidates of a query that are ranked together
    WAVE = 8,             // groups a thread between two calls of the sink
    WAVE_EDGES = 1 << 24, // or fewer, where k is large
};

// Everything about the items, read by all threads.
struct items {
    const struct cdp_matrix *matrix;
    enum cdp_metric metric;
    uint64_t rows, panels;
    size_t dim, words; // numbers of a row; of a panel's item: numbers, or 64-bit words for hamming
    size_t number;     // bytes of one of those
    unsigned char *panel;
    double *square; // x.x of each row
    float *half;    // y.y/2 of each item for l2, else 0; whole panels
    double *length; // largest length of each panel's items for l2, else 0
    double error;   // g, or its like
    cdp_tile_function *tile;
};

// A neighbour so far.
struct ranked {
    double key;
    uint32_t id;
};

// A query of the group that a thread is at.
struct query {
    uint32_t id;
    uint32_t found, waiting;
    double length;
    double base; // scores below it, less the panel's error, are passed over
    struct ranked *nearest;
    uint32_t candidate[WAITING + COLUMNS];
};

// A thread's memory.
struct worker {
    struct query *query; // GROUP
    unsigned char *rows; // the queries as the tile takes them
    float *x, *y;        // rows as they are in the matrix
};

const char *cdp_knn_isa(void)
{
    return cdp_tile_isa();
}

static bool needs_direction(enum cdp_metric metric)
{
    return metric == CDP_COSINE || metric == CDP_ANGULAR;
}

static const void *panel_of(const struct items *it, uint64_t p)
{
    return it->panel + p * it->words * COLUMNS * it->number;
}

// ---- packing

static void pack_bits(const struct items *it, uint64_t row, const float *x, uint64_t *panel)
{
    bool packed = it->matrix->number == CDP_U8 || it->matrix->number == CDP_I8;
    const unsigned char *at = it->matrix->data + row * it->matrix->row_stride;
    uint64_t column = row % COLUMNS;
    for (size_t d = 0; d < it->dim; d++) {
        size_t bit = packed ? d * 8 : d;
        uint64_t value = packed ? at[d * it->matrix->number_stride] : x[d] > 0;
        panel[bit / 64 * COLUMNS + column] |= value << bit % 64;
    }
}

// Fills one panel; returns the first row that cannot be used, or `rows`.
static uint64_t pack_panel(struct items *it, uint64_t p, float *spare)
{
    float *panel = (float *)(it->panel + p * it->words * COLUMNS * it->number);
    memset(panel, 0, it->words * COLUMNS * it->number);
    for (uint64_t c = 0; c < COLUMNS && p * COLUMNS + c < it->rows; c++) {
        uint64_t row = p * COLUMNS + c;
        const float *x = cdp_matrix_row(it->matrix, row, spare);
        float bad = 0;
        for (size_t d = 0; d < it->dim; d++)
            bad += x[d] * 0; // NaN where a number is not finite
        double square = cdp_exact_dot(x, x, it->dim);
        if (bad != 0 || (square == 0 && needs_direction(it->metric)))
            return row;
        it->square[row] = square;
        if (it->metric == CDP_HAMMING) {
            pack_bits(it, row, x, (uint64_t *)panel);
            continue;
        }
        double scale = needs_direction(it->metric) ? 1 / sqrt(square) : 1;
        for (size_t d = 0; d < it->dim; d++)
            panel[d * COLUMNS + c] = (float)((double)x[d] * scale);
        if (it->metric == CDP_L2) {
            it->half[row] = (float)(square / 2);
            it->length[p] = fmax(it->length[p], sqrt(square));
        }
    }
    return it->rows;
}

static int fail_row(const struct items *it, uint64_t row, float *x, struct cdp_err *err)
{
    const char *name = it->matrix->name;
    cdp_matrix_row_f32(it->matrix, row, x);
    for (size_t d = 0; d < it->dim; d++) {
        if (!isfinite(x[d]))
            return cdp_fail(err, "%s: row %llu: number %zu is %g; finite numbers are wanted", name,
                            (unsigned long long)row, d, (double)x[d]);
    }
    return cdp_fail(err,
                    "%s: row %llu: all zeros, so it has no direction: remove it, or use --metric "
                    "l2, l1 or linf",
                    name, (unsigned long long)row);
}

static int pack(struct items *it, int threads, struct cdp_err *err)
{
    uint64_t columns = it->panels * COLUMNS, bad = it->rows;
    it->panel = cdp_alloc_aligned(columns, it->words * it->number, "the copy of the features", err);
    it->square = cdp_alloc(it->rows, sizeof *it->square, "lengths", err);
    it->half = cdp_zalloc(columns, sizeof *it->half, "lengths", err);
    it->length = cdp_zalloc(it->panels, sizeof *it->length, "lengths", err);
    float *spare = cdp_alloc(it->dim, sizeof *spare * (size_t)threads, "a row", err);
    int status = -1;
    if (!it->panel || !it->square || !it->half || !it->length || !spare)
        goto end;
#pragma omp parallel for num_threads(threads) schedule(static) reduction(min : bad)
    for (uint64_t p = 0; p < it->panels; p++) {
        uint64_t row = pack_panel(it, p, spare + it->dim * (size_t)cdp_thread());
        bad = row < bad ? row : bad;
    }
    status = bad < it->rows ? fail_row(it, bad, spare, err) : 0;
end:
    free(spare);
    return status;
}

// ---- ranking

static bool before(const struct ranked *a, const struct ranked *b)
{
    return a->key < b->key || (a->key == b->key && a->id < b->id);
}

// The list is a heap whose top is the farthest.
static void sift_down(struct ranked *heap, uint32_t size, uint32_t at)
{
    struct ranked moved = heap[at];
    for (uint32_t child; (child = 2 * at + 1) < size; at = child) {
        if (child + 1 < size && before(&heap[child], &heap[child + 1]))
            child++;
        if (!before(&moved, &heap[child]))
            break;
        heap[at] = heap[child];
    }
    heap[at] = moved;
}

static void add_neighbour(struct query *q, uint32_t k, struct ranked new)
{
    if (q->found < k) {
        q->nearest[q->found++] = new;
        for (uint32_t at = k / 2; q->found == k && at-- > 0;)
            sift_down(q->nearest, k, at);
    } else if (before(&new, &q->nearest[0])) {
        q->nearest[0] = new;
        sift_down(q->nearest, k, 0);
    }
}

static double hamming_key(const struct items *it, uint64_t a, uint64_t b)
{
    const uint64_t *x = panel_of(it, a / COLUMNS), *y = panel_of(it, b / COLUMNS);
    int64_t bits = 0;
    for (size_t w = 0; w < it->words; w++)
        bits += __builtin_popcountll(x[w * COLUMNS + a % COLUMNS] ^ y[w * COLUMNS + b % COLUMNS]);
    return (double)bits;
}

// The score that the k-th nearest item would get from the fast pass at the least.
static double lowest_score(const struct items *it, const struct query *q)
{
    double key = q->nearest[0].key;
    switch (it->metric) {
    case CDP_COSINE:
    case CDP_ANGULAR:
        return -key - it->error;
    case CDP_L2: {
        double xx = it->square[q->id];
        return (xx - key) / 2 - 1e-14 * (xx + key);
    }
    case CDP_L1:
    case CDP_LINF:
    case CDP_HAMMING:
    case CDP_METRIC_NONE:
        break;
    }
    return -key * (1 + it->error);
}

// Ranks the waiting candidates.
static void rank(const struct items *it, struct worker *w, struct query *q, uint32_t k)
{
    const float *x = cdp_matrix_row(it->matrix, q->id, w->x);
    for (uint32_t c = 0; c < q->waiting; c++) {
        uint32_t id = q->candidate[c];
        double key;
        if (it->metric == CDP_HAMMING) {
            key = hamming_key(it, q->id, id);
        } else {
            const float *y = cdp_matrix_row(it->matrix, id, w->y);
            key = cdp_exact_key(it->metric, x, y, it->dim, it->square[q->id], it->square[id]);
        }
        add_neighbour(q, k, (struct ranked){key, id});
    }
    q->waiting = 0;
    if (q->found == k)
        q->base = lowest_score(it, q);
}

// ---- the pass

// Takes the scores of one query and panel.
static void select_candidates(const struct items *it, struct worker *w, struct query *q, uint32_t k,
                              uint64_t p, const float score[COLUMNS])
{
    double slack = it->length[p] * it->error * (q->length + it->length[p] / 2);
    double bound = q->base - slack;
    float least = (float)(bound - fabs(bound) * 0x1p-23 - 0x1p-149); // rounded down
    const float *half = it->half + p * COLUMNS;
    int any = 0;
    for (int c = 0; c < COLUMNS; c++)
        any |= !(score[c] - half[c] < least);
    if (!any)
        return;
    for (uint32_t c = 0; c < COLUMNS; c++) {
        uint64_t id = p * COLUMNS + c;
        if (!(score[c] - half[c] < least) && id != q->id && id < it->rows)
            q->candidate[q->waiting++] = (uint32_t)id;
    }
    if (q->waiting >= WAITING)
        rank(it, w, q, k);
}

// Lays the group's queries out as rows. Those beyond `count` repeat the last one and select
// nothing.
static void begin_group(const struct items *it, struct worker *w, uint64_t first, uint32_t count)
{
    for (uint32_t i = 0; i < GROUP; i++) {
        struct query *q = &w->query[i];
        uint64_t id = first + (i < count ? i : count - 1);
        q->id = (uint32_t)id;
        q->found = q->waiting = 0;
        q->base = -INFINITY;
        q->length = sqrt(it->square[id]);
        const unsigned char *from = (const unsigned char *)panel_of(it, id / COLUMNS);
        unsigned char *to = w->rows + i * it->words * it->number;
        for (size_t d = 0; d < it->words; d++)
            memcpy(to + d * it->number, from + (d * COLUMNS + id % COLUMNS) * it->number,
                   it->number);
    }
}

static void search_group(const struct items *it, struct worker *w, uint64_t first, uint32_t count,
                         uint32_t k)
{
    begin_group(it, w, first, count);
    float score[ROWS][COLUMNS] __attribute__((aligned(64)));
    for (uint64_t p = 0; p < it->panels; p++) {
        for (uint32_t i = 0; i < count; i += ROWS) {
            const void *row[ROWS];
            for (uint32_t r = 0; r < ROWS; r++)
                row[r] = w->rows + (i + r) * it->words * it->number;
            it->tile(row, panel_of(it, p), it->words, score);
            for (uint32_t r = 0; r < ROWS && i + r < count; r++)
                select_candidates(it, w, &w->query[i + r], k, p, score[r]);
        }
    }
    for (uint32_t i = 0; i < count; i++)
        rank(it, w, &w->query[i], k);
}

static int by_rank(const void *a, const void *b)
{
    return before(a, b) ? -1 : 1;
}

// Hands a group's result on.
static void end_group(const struct items *it, struct worker *w, uint32_t count, uint32_t k,
                      uint32_t *target, float *distance)
{
    for (uint32_t i = 0; i < count; i++) {
        struct ranked *nearest = w->query[i].nearest;
        qsort(nearest, k, sizeof *nearest, by_rank);
        for (uint32_t n = 0; n < k; n++) {
            target[(size_t)i * k + n] = nearest[n].id;
            distance[(size_t)i * k + n] = (float)cdp_exact_distance(it->metric, nearest[n].key);
        }
    }
}

static void free_workers(struct worker *workers, int threads)
{
    for (int t = 0; workers && t < threads; t++) {
        for (int i = 0; workers[t].query && i < GROUP; i++)
            free(workers[t].query[i].nearest);
        free(workers[t].query);
        free(workers[t].rows);
        free(workers[t].x);
        free(workers[t].y);
    }
    free(workers);
}

static struct worker *new_workers(const struct items *it, int threads, uint32_t k,
                                  struct cdp_err *err)
{
    struct worker *workers = cdp_zalloc((size_t)threads, sizeof *workers, "threads", err);
    for (int t = 0; workers && t < threads; t++) {
        struct worker *w = &workers[t];
        w->query = cdp_zalloc(GROUP, sizeof *w->query, "queries", err);
        w->rows = cdp_alloc_aligned(GROUP, it->words * it->number, "queries", err);
        w->x = cdp_alloc(it->dim, sizeof *w->x, "a row", err);
        w->y = cdp_alloc(it->dim, sizeof *w->y, "a row", err);
        bool whole = w->query && w->rows && w->x && w->y;
        for (int i = 0; whole && i < GROUP; i++) {
            w->query[i].nearest = cdp_alloc(k, sizeof *w->query[i].nearest, "neighbours", err);
            whole = w->query[i].nearest != NULL;
        }
        if (!whole) {
            free_workers(workers, threads);
            return NULL;
        }
    }
    return workers;
}

// Searches all groups, a wave at a time, so that the sink gets the rows in order.
static int search(const struct items *it, const struct cdp_knn_plan *plan, int threads,
                  cdp_knn_sink *sink, void *context, struct cdp_err *err)
{
    uint32_t k = plan->k;
    uint64_t wave = (uint64_t)threads * WAVE * GROUP;
    while (wave > GROUP && wave * k > WAVE_EDGES)
        wave -= GROUP;
    if (wave > plan->last - plan->first)
        wave = plan->last - plan->first;
    int status = -1;
    struct worker *workers = new_workers(it, threads, k, err);
    uint32_t *target = cdp_alloc(wave, sizeof *target * k, "neighbours", err);
    float *distance = cdp_alloc(wave, sizeof *distance * k, "neighbours", err);
    if (!workers || !target || !distance)
        goto end;
    status = 0;
    cdp_progress_start(plan->progress, "neighbours", "rows", plan->last - plan->first);
    for (uint64_t at = plan->first; !status && at < plan->last; at += wave) {
        uint64_t rows = plan->last - at < wave ? plan->last - at : wave;
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
        for (uint64_t g = 0; g < rows; g += GROUP) {
            struct worker *w = &workers[cdp_thread()];
            uint32_t count = (uint32_t)(rows - g < GROUP ? rows - g : GROUP);
            search_group(it, w, at + g, count, k);
            end_group(it, w, count, k, target + g * k, distance + g * k);
            cdp_progress_add(plan->progress, count);
        }
        for (uint64_t r = 0; !status && r < rows; r++)
            status = sink(context, at + r, target + r * k, distance + r * k, err);
    }
end:
    free_workers(workers, threads);
    free(target);
    free(distance);
    return status;
}

static double error_bound(enum cdp_metric metric, size_t dim)
{
    double roundings = ((double)dim + 4) * 0x1p-24;
    if (metric == CDP_LINF || metric == CDP_HAMMING)
        return 0x1p-22;
    // A row so long that the bound says nothing has all items ranked.
    return roundings < 0.5 ? roundings / (1 - roundings) + 1e-30 * (double)dim : INFINITY;
}

int cdp_knn_exact(const struct cdp_matrix *matrix, const struct cdp_knn_plan *plan,
                  cdp_knn_sink *sink, void *context, struct cdp_err *err)
{
    if (matrix->rows >= UINT32_MAX)
        return cdp_fail(err, "%s: %llu rows; at most 2^32 - 2 can be searched", matrix->name,
                        (unsigned long long)matrix->rows);
    if (plan->k >= matrix->rows)
        return cdp_fail(err, "%s: k = %u needs more than %u rows, the file holds %llu",
                        matrix->name, plan->k, plan->k, (unsigned long long)matrix->rows);
    if (plan->first >= plan->last || plan->last > matrix->rows)
        return cdp_fail(err, "%s: rows %llu:%llu are wanted, the file holds %llu", matrix->name,
                        (unsigned long long)plan->first, (unsigned long long)plan->last,
                        (unsigned long long)matrix->rows);
    int threads = cdp_threads(plan->threads);
    bool bits = plan->metric == CDP_HAMMING;
    bool packed = matrix->number == CDP_U8 || matrix->number == CDP_I8;
    struct items it = {.matrix = matrix,
                       .metric = plan->metric,
                       .rows = matrix->rows,
                       .panels = (matrix->rows + COLUMNS - 1) / COLUMNS,
                       .dim = matrix->dim,
                       .words = bits ? (matrix->dim * (packed ? 8 : 1) + 63) / 64 : matrix->dim,
                       .number = bits ? sizeof(uint64_t) : sizeof(float),
                       .error = error_bound(plan->metric, matrix->dim),
                       .tile = cdp_tile(plan->metric)};
    int status = pack(&it, threads, err);
    if (!status)
        status = search(&it, plan, threads, sink, context, err);
    free(it.panel);
    free(it.square);
    free(it.half);
    free(it.length);
    return status;
}

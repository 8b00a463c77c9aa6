// SPDX-License-Identifier: MIT
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/sums.h"
#include "base/threads.h"
#include "score/score.h"

enum {
    TASK = 256,     // pairs per task
    ITEM_AHEAD = 8, // prefetch distance of items, in pairs
    LIST_AHEAD = 4, // and of their lists
    LINE = 64,      // bytes of a cache line
};

// ---- models

int cdp_model_init(struct cdp_model *model, const struct cdp_table *lists,
                   const struct cdp_matrix *features, int threads, struct cdp_err *err)
{
    threads = cdp_threads(threads);
    *model = (struct cdp_model){.lists = lists, .features = features};
    model->length = cdp_alloc(features->rows, sizeof *model->length, "lengths", err);
    model->spread = cdp_alloc(features->rows, sizeof *model->spread, "spreads", err);
    float *room = cdp_alloc((size_t)threads * features->dim, sizeof *room, "rows", err);
    int status = model->length && model->spread && room ? 0 : -1;
    uint64_t bad = features->rows;
    cdp_sum_function *dot = cdp_sums()->dot;
    if (!status) {
#pragma omp parallel for num_threads(threads) schedule(static) reduction(min : bad)
        for (uint64_t row = 0; row < features->rows; row++) {
            const float *x =
                cdp_matrix_row(features, row, room + (size_t)cdp_thread() * features->dim);
            model->length[row] = sqrt(cdp_sum(dot, x, x, features->dim));
            if (!isfinite(model->length[row]) && row < bad)
                bad = row;
            double sum = 0;
            for (uint64_t n = lists->offset[row]; n < lists->offset[row + 1]; n++)
                sum += (double)lists->distance[n];
            uint64_t count = lists->offset[row + 1] - lists->offset[row];
            model->spread[row] = count ? (float)(sum / (double)count) : 0;
        }
    }
    free(room);
    if (bad < features->rows)
        status = cdp_fail(err, "%s: row %llu: a number is not finite", features->name,
                          (unsigned long long)bad);
    if (status)
        cdp_model_free(model);
    return status;
}

void cdp_model_free(struct cdp_model *model)
{
    free(model->length);
    free(model->spread);
    *model = (struct cdp_model){0};
}

// ---- columns

static const char *const groups[] = {"relationship", "affinity", "structure", "nearer",
                                     "farther",      "tighter",  "looser"};
enum { GROUPS = 3, ALL_GROUPS = 7 }; // of the paper; with `extra`

unsigned cdp_feature_columns(unsigned count, bool extra)
{
    return (extra ? ALL_GROUPS : GROUPS) * count - 1;
}

void cdp_feature_names(unsigned count, bool extra, char (*names)[CDP_COLUMN_NAME])
{
    for (unsigned g = 0; g < (extra ? ALL_GROUPS : GROUPS); g++) {
        for (unsigned m = g == 0 ? 1 : 0; m < count; m++)
            snprintf(*names++, CDP_COLUMN_NAME, "%s%u", groups[g], m);
    }
}

// ---- pairs

struct pair {
    uint32_t i, j;
};

// Memory of one thread.
struct scratch {
    float *x, *y;     // one row each
    uint64_t *marked; // one bit per item
};

// A batch of pairs, and the sink of their features.
struct batch {
    const struct cdp_model *models;
    unsigned count, columns;
    bool extra;
    cdp_sum_function *dot;
    struct pair *pairs; // CDP_BLOCK_EDGES
    float *values;      // columns of each pair
    size_t waiting;
    struct scratch *scratch; // one per thread
    int threads;
    cdp_pair_sink *sink;
    void *context;
    struct cdp_progress *progress;
};

static unsigned is_marked(const uint64_t *marked, uint32_t id)
{
    return marked[id / 64] >> id % 64 & 1;
}

struct list {
    const uint32_t *id;
    uint64_t count;
};

static struct list list_of(const struct cdp_model *model, uint32_t item)
{
    const struct cdp_table *t = model->lists;
    return (struct list){t->target + t->offset[item], t->offset[item + 1] - t->offset[item]};
}

// Sets or clears the marks of an item and its list.
static void mark_list(uint64_t *marked, const struct cdp_model *model, uint32_t item, bool on)
{
    struct list list = list_of(model, item);
    for (uint64_t n = 0; n <= list.count; n++) {
        uint32_t id = n < list.count ? list.id[n] : item;
        uint64_t bit = UINT64_C(1) << id % 64;
        marked[id / 64] = on ? marked[id / 64] | bit : marked[id / 64] & ~bit;
    }
}

// Always inlined: gcc 12 discards calls of a function that only prefetches.
#define PREFETCH static inline __attribute__((always_inline))

// The second items of pairs are scattered in memory, so they are prefetched: first all but the
// list, whose address is read from memory too.
PREFETCH void prefetch_item(const struct cdp_model *model, uint32_t item)
{
    const struct cdp_matrix *matrix = model->features;
    const unsigned char *row = matrix->data + item * matrix->row_stride;
    __builtin_prefetch(&model->lists->offset[item]);
    __builtin_prefetch(&model->length[item]);
    for (size_t at = 0; at <= (matrix->dim - 1) * matrix->number_stride; at += LINE)
        __builtin_prefetch(row + at);
}

PREFETCH void prefetch_list(const struct cdp_model *model, uint32_t item)
{
    struct list list = list_of(model, item);
    for (uint64_t n = 0; n < list.count; n += LINE / sizeof *list.id)
        __builtin_prefetch(&list.id[n]);
}

// 1 / the rank of an id in a list; 0 if absent.
static float nearness(struct list list, uint32_t id)
{
    for (uint64_t n = 0; n < list.count; n++) {
        if (list.id[n] == id)
            return 1 / (float)(n + 1);
    }
    return 0;
}

// Fills the columns of model m for a pair whose first item and its list are marked.
static void compute_columns(const struct batch *b, unsigned m, struct pair pair,
                            const struct scratch *own, const float *x, float *values)
{
    const struct cdp_model *model = &b->models[m];
    struct list of_j = list_of(model, pair.j);
    unsigned i_has = is_marked(own->marked, pair.j), j_has = 0, shared = i_has;
    for (uint64_t n = 0; n < of_j.count; n++) {
        shared += is_marked(own->marked, of_j.id[n]);
        j_has |= of_j.id[n] == pair.i;
    }
    const struct cdp_matrix *matrix = model->features;
    const float *y = cdp_matrix_row(matrix, pair.j, own->y);
    double lengths = model->length[pair.i] * model->length[pair.j];

    float *relationship = values, *affinity = values + b->count - 1;
    float *structure = affinity + b->count;
    if (m > 0)
        relationship[m - 1] = (float)(i_has | j_has);
    affinity[m] = lengths > 0 ? (float)(cdp_sum(b->dot, x, y, matrix->dim) / lengths) : 0;
    structure[m] = (float)shared;
    if (!b->extra)
        return;
    float *nearer = structure + b->count, *farther = nearer + b->count;
    float *tighter = farther + b->count, *looser = tighter + b->count;
    float to_j = nearness(list_of(model, pair.i), pair.j), to_i = nearness(of_j, pair.i);
    nearer[m] = to_i > to_j ? to_i : to_j;
    farther[m] = to_i > to_j ? to_j : to_i;
    float of_one = model->spread[pair.i], of_other = model->spread[pair.j];
    tighter[m] = of_one < of_other ? of_one : of_other;
    looser[m] = of_one < of_other ? of_other : of_one;
}

// The pairs from `from` to `to` (excluded), one model after the other.
static void compute_task(const struct batch *b, const struct scratch *own, size_t from, size_t to)
{
    const struct pair *pairs = b->pairs;
    for (unsigned m = 0; m < b->count; m++) {
        const struct cdp_model *model = &b->models[m];
        const float *x = NULL;
        for (size_t p = from; p < to; p++) {
            if (p + ITEM_AHEAD < to)
                prefetch_item(model, pairs[p + ITEM_AHEAD].j);
            if (p + LIST_AHEAD < to)
                prefetch_list(model, pairs[p + LIST_AHEAD].j);
            bool first = p == from || pairs[p - 1].i != pairs[p].i;
            bool last = p + 1 == to || pairs[p + 1].i != pairs[p].i;
            if (first) {
                x = cdp_matrix_row(model->features, pairs[p].i, own->x);
                mark_list(own->marked, model, pairs[p].i, true);
            }
            compute_columns(b, m, pairs[p], own, x, b->values + p * b->columns);
            if (last)
                mark_list(own->marked, model, pairs[p].i, false);
        }
    }
}

static int flush_batch(struct batch *b, struct cdp_err *err)
{
#pragma omp parallel for num_threads(b->threads) schedule(dynamic)
    for (size_t from = 0; from < b->waiting; from += TASK) {
        size_t end = b->waiting - from < TASK ? b->waiting : from + TASK;
        compute_task(b, &b->scratch[cdp_thread()], from, end);
    }
    for (size_t p = 0; p < b->waiting; p++) {
        if (b->sink(b->context, b->pairs[p].i, b->pairs[p].j, b->values + p * b->columns, err))
            return -1;
    }
    cdp_progress_add(b->progress, b->waiting);
    b->waiting = 0;
    return 0;
}

static int add_pair(void *batch, uint64_t i, uint64_t j, const float *score, struct cdp_err *err)
{
    struct batch *b = batch;
    (void)score;
    b->pairs[b->waiting++] = (struct pair){(uint32_t)i, (uint32_t)j};
    return b->waiting == CDP_BLOCK_EDGES ? flush_batch(b, err) : 0;
}

static int alloc_scratch(struct batch *b, struct cdp_err *err)
{
    size_t words = b->models[0].lists->rows / 64 + 1, dim = 0;
    for (unsigned m = 0; m < b->count; m++)
        dim = b->models[m].features->dim > dim ? b->models[m].features->dim : dim;
    b->scratch = cdp_zalloc((size_t)b->threads, sizeof *b->scratch, "threads", err);
    for (int t = 0; b->scratch && t < b->threads; t++) {
        struct scratch *own = &b->scratch[t];
        own->x = cdp_alloc(dim, sizeof *own->x, "a row", err);
        own->y = cdp_alloc(dim, sizeof *own->y, "a row", err);
        own->marked = cdp_zalloc(words, sizeof *own->marked, "marks", err);
        if (!own->x || !own->y || !own->marked)
            return -1;
    }
    return b->scratch ? 0 : -1;
}

static void free_scratch(struct batch *b)
{
    for (int t = 0; b->scratch && t < b->threads; t++) {
        free(b->scratch[t].x);
        free(b->scratch[t].y);
        free(b->scratch[t].marked);
    }
    free(b->scratch);
}

int cdp_features(const struct cdp_model *models, unsigned count, bool extra, const uint64_t rows[2],
                 cdp_pair_sink *sink, void *context, int threads, struct cdp_progress *progress,
                 struct cdp_err *err)
{
    struct batch b = {.models = models,
                      .count = count,
                      .columns = cdp_feature_columns(count, extra),
                      .extra = extra,
                      .dot = cdp_sums()->dot,
                      .threads = cdp_threads(threads),
                      .sink = sink,
                      .context = context,
                      .progress = progress};
    b.pairs = cdp_alloc(CDP_BLOCK_EDGES, sizeof *b.pairs, "pairs", err);
    b.values = cdp_alloc(CDP_BLOCK_EDGES, b.columns * sizeof *b.values, "pair features", err);
    int status = b.pairs && b.values ? alloc_scratch(&b, err) : -1;
    cdp_progress_start(progress, "pair features", "pairs", 0);
    if (!status)
        status = cdp_pairs(models[0].lists, NULL, rows, add_pair, &b, err);
    if (!status)
        status = flush_batch(&b, err);
    free(b.pairs);
    free(b.values);
    free_scratch(&b);
    return status;
}

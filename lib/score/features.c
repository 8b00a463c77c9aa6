// SPDX-License-Identifier: MIT
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/sums.h"
#include "base/threads.h"
#include "score/pairs.h"
#include "score/score.h"

enum {
    TASK = 64,          // items per task
    CHUNK = 16,         // pairs of an item whose cosines are taken at once
    ITEMS_AHEAD = 3,    // prefetch distance
    LINE = 64,          // bytes of a cache line
    BATCH = 1 << 22,    // values of a batch at least: 16 MiB
    FEATURES_SHARE = 4, // a batch may have one in so many of the numbers of the features
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

// Memory of one thread.
struct scratch {
    float *x, *y;     // a row, and CHUNK rows, where they are converted
    uint64_t *marked; // one bit per item
};

// The pairs of some rows, and their features.
struct batch {
    const struct cdp_model *models;
    unsigned count, columns;
    bool extra;
    const struct cdp_pair_lists *pairs;
    uint64_t rows[2], first; // of the batch; the number of the first pair
    size_t size;             // pairs
    uint32_t *item;          // the rows, neighbourhoods together
    size_t items;
    float *values;           // columns x size
    struct scratch *scratch; // one per thread
    int threads;
    cdp_sum_function *dot;
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

// Prefetches a row, and where its list is.
PREFETCH void prefetch_item(const struct cdp_model *model, uint32_t item)
{
    const struct cdp_matrix *matrix = model->features;
    const unsigned char *row = cdp_matrix_at(matrix, item);
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

static uint64_t pairs_begin(const struct batch *b, uint32_t i)
{
    return b->pairs->begin[i - b->pairs->rows[0]];
}

PREFETCH void prefetch_chunk(const struct batch *b, const struct cdp_model *model, uint64_t begin,
                             uint64_t end)
{
    for (uint64_t p = begin; p < end && p < begin + CHUNK; p++)
        prefetch_item(model, b->pairs->other[p]);
}

// The cosines of item i and the others of up to CHUNK pairs.
static void compute_affinities(const struct batch *b, const struct cdp_model *model,
                               const struct scratch *own, uint32_t i, const uint32_t *other,
                               size_t count, float *affinity)
{
    const struct cdp_matrix *matrix = model->features;
    const float *x[CHUNK], *y[CHUNK];
    double sum[CHUNK];
    x[0] = cdp_matrix_row(matrix, i, own->x);
    for (size_t n = 0; n < count; n++) {
        x[n] = x[0];
        y[n] = cdp_matrix_row(matrix, other[n], own->y + n * matrix->dim);
    }
    b->dot(x, y, count, matrix->dim, sum);
    for (size_t n = 0; n < count; n++) {
        double lengths = model->length[i] * model->length[other[n]];
        affinity[n] = lengths > 0 ? (float)(sum[n] / lengths) : 0;
    }
}

// What the lists of model m say of a pair whose first item and its list are marked.
static void compute_structure(const struct batch *b, unsigned m, uint32_t i, uint32_t j,
                              const struct scratch *own, float *values)
{
    const struct cdp_model *model = &b->models[m];
    struct list of_j = list_of(model, j);
    unsigned i_has = is_marked(own->marked, j), j_has = 0, shared = i_has;
    for (uint64_t n = 0; n < of_j.count; n++) {
        shared += is_marked(own->marked, of_j.id[n]);
        j_has |= of_j.id[n] == i;
    }
    float *relationship = values, *affinity = relationship + (b->count - 1) * b->size;
    float *structure = affinity + b->count * b->size;
    if (m > 0)
        relationship[(m - 1) * b->size] = (float)(i_has | j_has);
    structure[m * b->size] = (float)shared;
    if (!b->extra)
        return;
    size_t group = b->count * b->size;
    float *nearer = structure + group, *farther = nearer + group;
    float *tighter = farther + group, *looser = tighter + group;
    float to_j = nearness(list_of(model, i), j), to_i = nearness(of_j, i);
    nearer[m * b->size] = to_i > to_j ? to_i : to_j;
    farther[m * b->size] = to_i > to_j ? to_j : to_i;
    float of_one = model->spread[i], of_other = model->spread[j];
    tighter[m * b->size] = of_one < of_other ? of_one : of_other;
    looser[m * b->size] = of_one < of_other ? of_other : of_one;
}

// The pairs of an item. Prefetches the rows of the next item and of its first partners, the numbers
// of those of the one after it, and where these are of the third: each is known by the one before.
static void compute_item(const struct batch *b, unsigned m, const struct scratch *own, size_t at)
{
    const struct cdp_model *model = &b->models[m];
    const uint32_t *other = b->pairs->other;
    float *affinities = b->values + (b->count - 1 + m) * b->size;
    uint32_t i = b->item[at], next = b->item[at + 1];
    uint64_t end = pairs_begin(b, i + 1);
    __builtin_prefetch(&b->pairs->begin[b->item[at + 3] - b->pairs->rows[0]]);
    __builtin_prefetch(&other[pairs_begin(b, b->item[at + 2])]);
    prefetch_item(model, next);
    mark_list(own->marked, model, i, true);
    for (uint64_t p = pairs_begin(b, i); p < end; p += CHUNK) {
        size_t count = end - p < CHUNK ? end - p : CHUNK;
        if (p + count < end)
            prefetch_chunk(b, model, p + count, end);
        else
            prefetch_chunk(b, model, pairs_begin(b, next), pairs_begin(b, next + 1));
        for (size_t n = 0; n < count; n++)
            prefetch_list(model, other[p + n]);
        compute_affinities(b, model, own, i, other + p, count, affinities + (p - b->first));
        for (size_t n = 0; n < count; n++)
            compute_structure(b, m, i, other[p + n], own, b->values + (p + n - b->first));
    }
    mark_list(own->marked, model, i, false);
}

static void compute_batch(const struct batch *b, struct cdp_progress *progress)
{
    for (unsigned m = 0; m < b->count; m++) {
#pragma omp parallel for num_threads(b->threads) schedule(dynamic)
        for (size_t at = 0; at < b->items; at += TASK) {
            size_t end = b->items - at < TASK ? b->items : at + TASK;
            if (cdp_progress_stopped(progress))
                continue;
            for (size_t n = at; n < end; n++)
                compute_item(b, m, &b->scratch[cdp_thread()], n);
            cdp_progress_add(progress, end - at);
        }
    }
}

static int emit_batch(const struct batch *b, cdp_pair_sink *sink, void *context,
                      struct cdp_err *err)
{
    float values[CDP_MAX_COLUMNS];
    for (uint64_t i = b->rows[0]; i < b->rows[1]; i++) {
        for (uint64_t p = pairs_begin(b, (uint32_t)i); p < pairs_begin(b, (uint32_t)i + 1); p++) {
            for (unsigned c = 0; c < b->columns; c++)
                values[c] = b->values[c * b->size + (p - b->first)];
            if (sink(context, i, b->pairs->other[p], values, err))
                return -1;
        }
    }
    return 0;
}

// Sets the rows of the next batch: at least one, and as many as have `most` values.
static void next_batch(struct batch *b, const uint32_t *order, uint64_t most)
{
    const struct cdp_pair_lists *pairs = b->pairs;
    uint64_t row = b->rows[0] = b->rows[1];
    b->first = pairs->begin[row - pairs->rows[0]];
    do
        row++;
    while (row < pairs->rows[1] &&
           (pairs->begin[row + 1 - pairs->rows[0]] - b->first) * b->columns <= most);
    b->rows[1] = row;
    b->size = pairs->begin[row - pairs->rows[0]] - b->first;
    b->items = 0;
    for (uint64_t n = 0; n < b->models->lists->rows; n++) {
        if (order[n] - b->rows[0] < b->rows[1] - b->rows[0])
            b->item[b->items++] = order[n];
    }
    for (int n = 0; n < ITEMS_AHEAD; n++)
        b->item[b->items + (size_t)n] = (uint32_t)b->rows[0];
}

static int compute_batches(struct batch *b, const uint32_t *order, cdp_pair_sink *sink,
                           void *context, struct cdp_progress *progress, struct cdp_err *err)
{
    size_t room = 0;
    int status = 0;
    uint64_t most = 0;
    for (unsigned m = 0; m < b->count; m++)
        most += b->models[m].features->rows * b->models[m].features->dim / FEATURES_SHARE;
    most = most < BATCH ? BATCH : most;
    b->rows[1] = b->pairs->rows[0];
    while (!status && b->rows[1] < b->pairs->rows[1]) {
        next_batch(b, order, most);
        status = cdp_grow(&b->values, &room, b->size * b->columns, sizeof *b->values,
                          "pair features", err);
        if (!status) {
            compute_batch(b, progress);
            status =
                cdp_progress_check(progress, err) || emit_batch(b, sink, context, err) ? -1 : 0;
        }
    }
    return status;
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
        own->y = cdp_alloc(CHUNK * dim, sizeof *own->y, "rows", err);
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
    struct cdp_pair_lists pairs;
    if (cdp_pair_lists_new(&pairs, models->lists, 1, NULL, false, rows, err))
        return -1;
    struct batch b = {.models = models,
                      .count = count,
                      .columns = cdp_feature_columns(count, extra),
                      .extra = extra,
                      .pairs = &pairs,
                      .threads = cdp_threads(threads),
                      .dot = cdp_sums()->dot};
    uint64_t items = models->lists->rows;
    uint32_t *order = cdp_alloc(items, sizeof *order, "an order", err);
    b.item = cdp_alloc(items + ITEMS_AHEAD, sizeof *b.item, "an order", err);
    int status = order && b.item ? cdp_order_by_lists(order, models->lists, err) : -1;
    cdp_progress_start(progress, "pair features", "rows", count * (rows[1] - rows[0]));
    if (!status)
        status = alloc_scratch(&b, err);
    if (!status)
        status = compute_batches(&b, order, sink, context, progress, err);
    free_scratch(&b);
    free(b.values);
    free(b.item);
    free(order);
    cdp_pair_lists_free(&pairs);
    return status;
}

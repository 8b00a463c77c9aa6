// SPDX-License-Identifier: MIT
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/ids.h"
#include "base/mem.h"
#include "base/sums.h"
#include "base/threads.h"
#include "score/score.h"

enum { STRETCH = 64 }; // pairs that a thread takes at once

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
            model->length[row] = sqrt(dot(x, x, features->dim));
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
enum { GROUPS = 3, ALL_GROUPS = 7 }; // of the paper, and with ours

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

// Pairs that wait for their features, and where these go.
struct batch {
    const struct cdp_model *models;
    unsigned count, columns;
    bool extra;
    cdp_sum_function *dot;
    struct pair *pairs; // CDP_BLOCK_EDGES
    float *values;      // columns of each pair
    size_t waiting;
    float *room;     // two rows a thread
    size_t row_room; // numbers of the longest row
    int threads;
    cdp_pair_sink *sink;
    void *context;
    struct cdp_progress *progress;
};

// 1 / the rank of an id in a list; 0 where it is not there.
static float nearness(const uint32_t *list, uint64_t count, uint32_t id)
{
    for (uint64_t n = 0; n < count; n++) {
        if (list[n] == id)
            return 1 / (float)(n + 1);
    }
    return 0;
}

// What model m knows of a pair, into the pair's columns.
static void judge(const struct batch *b, unsigned m, struct pair pair, float *room, float *values)
{
    const struct cdp_model *model = &b->models[m];
    const struct cdp_table *t = model->lists;
    const uint32_t *of_i = t->target + t->offset[pair.i], *of_j = t->target + t->offset[pair.j];
    uint64_t i_count = t->offset[pair.i + 1] - t->offset[pair.i];
    uint64_t j_count = t->offset[pair.j + 1] - t->offset[pair.j];
    bool i_has = cdp_holds(of_i, i_count, pair.j), j_has = cdp_holds(of_j, j_count, pair.i);
    // An item stands in its own list: so it is shared where the other has it.
    unsigned shared = (unsigned)i_has + (unsigned)j_has;
    for (uint64_t n = 0; n < i_count; n++)
        shared += cdp_holds(of_j, j_count, of_i[n]);

    const struct cdp_matrix *matrix = model->features;
    const float *x = cdp_matrix_row(matrix, pair.i, room);
    const float *y = cdp_matrix_row(matrix, pair.j, room + matrix->dim);
    double lengths = model->length[pair.i] * model->length[pair.j];

    float *relationship = values, *affinity = values + b->count - 1;
    float *structure = affinity + b->count;
    if (m > 0)
        relationship[m - 1] = i_has || j_has;
    affinity[m] = lengths > 0 ? (float)(b->dot(x, y, matrix->dim) / lengths) : 0;
    structure[m] = (float)shared;
    if (!b->extra)
        return;
    float *nearer = structure + b->count, *farther = nearer + b->count;
    float *tighter = farther + b->count, *looser = tighter + b->count;
    float to_j = nearness(of_i, i_count, pair.j), to_i = nearness(of_j, j_count, pair.i);
    nearer[m] = to_i > to_j ? to_i : to_j;
    farther[m] = to_i > to_j ? to_j : to_i;
    float of_one = model->spread[pair.i], of_other = model->spread[pair.j];
    tighter[m] = of_one < of_other ? of_one : of_other;
    looser[m] = of_one < of_other ? of_other : of_one;
}

static int judge_batch(struct batch *b, struct cdp_err *err)
{
#pragma omp parallel for num_threads(b->threads) schedule(dynamic, STRETCH)
    for (size_t p = 0; p < b->waiting; p++) {
        float *room = b->room + (size_t)cdp_thread() * 2 * b->row_room;
        for (unsigned m = 0; m < b->count; m++)
            judge(b, m, b->pairs[p], room, b->values + p * b->columns);
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
    return b->waiting == CDP_BLOCK_EDGES ? judge_batch(b, err) : 0;
}

int cdp_features(const struct cdp_model *models, unsigned count, bool extra, cdp_pair_sink *sink,
                 void *context, int threads, struct cdp_progress *progress, struct cdp_err *err)
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
    for (unsigned m = 0; m < count; m++)
        b.row_room = models[m].features->dim > b.row_room ? models[m].features->dim : b.row_room;
    b.pairs = cdp_alloc(CDP_BLOCK_EDGES, sizeof *b.pairs, "pairs", err);
    b.values = cdp_alloc(CDP_BLOCK_EDGES, b.columns * sizeof *b.values, "pair features", err);
    b.room = cdp_alloc((size_t)b.threads * 2 * b.row_room, sizeof *b.room, "rows", err);
    int status = b.pairs && b.values && b.room ? 0 : -1;
    cdp_progress_start(progress, "pair features", "pairs", 0);
    if (!status)
        status = cdp_pairs(models[0].lists, NULL, add_pair, &b, err);
    if (!status)
        status = judge_batch(&b, err);
    free(b.pairs);
    free(b.values);
    free(b.room);
    return status;
}

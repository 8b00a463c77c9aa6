// SPDX-License-Identifier: MIT
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/threads.h"
#include "score/score.h"

enum { LANES = 8, STRETCH = 64 }; // sums side by side; pairs that a thread takes at once

// In double precision and a fixed order.
static double dot(const float *x, const float *y, size_t dim)
{
    double sum[LANES] = {0}, all = 0;
    size_t d = 0;
    for (; d + LANES <= dim; d += LANES) {
        for (size_t l = 0; l < LANES; l++)
            sum[l] += (double)x[d + l] * (double)y[d + l];
    }
    for (; d < dim; d++)
        all += (double)x[d] * (double)y[d];
    for (size_t l = 0; l < LANES; l++)
        all += sum[l];
    return all;
}

// ---- models

int cdp_model_init(struct cdp_model *model, const struct cdp_table *lists,
                   const struct cdp_matrix *features, int threads, struct cdp_err *err)
{
    threads = cdp_threads(threads);
    *model = (struct cdp_model){.lists = lists, .features = features};
    model->length = cdp_alloc(features->rows, sizeof *model->length, "lengths", err);
    float *room = cdp_alloc((size_t)threads * features->dim, sizeof *room, "rows", err);
    int status = model->length && room ? 0 : -1;
    uint64_t bad = features->rows;
    if (!status) {
#pragma omp parallel for num_threads(threads) schedule(static) reduction(min : bad)
        for (uint64_t row = 0; row < features->rows; row++) {
            const float *x =
                cdp_matrix_row(features, row, room + (size_t)cdp_thread() * features->dim);
            model->length[row] = sqrt(dot(x, x, features->dim));
            if (!isfinite(model->length[row]) && row < bad)
                bad = row;
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
    *model = (struct cdp_model){0};
}

// ---- columns

unsigned cdp_feature_columns(unsigned count)
{
    return 3 * count - 1;
}

void cdp_feature_names(unsigned count, char (*names)[CDP_COLUMN_NAME])
{
    static const char *const groups[] = {"relationship", "affinity", "structure"};
    for (unsigned g = 0; g < 3; g++) {
        for (unsigned m = g == 0 ? 1 : 0; m < count; m++)
            snprintf(*names++, CDP_COLUMN_NAME, "%s%u", groups[g], m);
    }
}

static bool holds(const uint32_t *list, uint64_t count, uint32_t id)
{
    unsigned found = 0;
    for (uint64_t n = 0; n < count; n++)
        found |= list[n] == id;
    return found;
}

static void judge(const struct cdp_model *model, struct cdp_pair pair, float *room,
                  float *relationship, float *affinity, float *structure)
{
    const struct cdp_table *t = model->lists;
    const uint32_t *of_i = t->target + t->offset[pair.i], *of_j = t->target + t->offset[pair.j];
    uint64_t i_count = t->offset[pair.i + 1] - t->offset[pair.i];
    uint64_t j_count = t->offset[pair.j + 1] - t->offset[pair.j];
    bool i_has = holds(of_i, i_count, pair.j), j_has = holds(of_j, j_count, pair.i);
    // An item stands in its own list: so it is shared where the other has it.
    unsigned shared = (unsigned)i_has + (unsigned)j_has;
    for (uint64_t n = 0; n < i_count; n++)
        shared += holds(of_j, j_count, of_i[n]);
    if (relationship)
        *relationship = i_has || j_has ? 1 : 0;
    *structure = (float)shared;

    const struct cdp_matrix *m = model->features;
    const float *x = cdp_matrix_row(m, pair.i, room);
    const float *y = cdp_matrix_row(m, pair.j, room + m->dim);
    double lengths = model->length[pair.i] * model->length[pair.j];
    *affinity = lengths > 0 ? (float)(dot(x, y, m->dim) / lengths) : 0;
}

int cdp_features(const struct cdp_model *models, unsigned count, const struct cdp_pair *pairs,
                 size_t pair_count, float *values, int threads, struct cdp_err *err)
{
    threads = cdp_threads(threads);
    size_t most = 0, columns = cdp_feature_columns(count);
    for (unsigned m = 0; m < count; m++)
        most = models[m].features->dim > most ? models[m].features->dim : most;
    float *room = cdp_alloc((size_t)threads * 2 * most, sizeof *room, "rows", err);
    if (!room)
        return -1;
#pragma omp parallel for num_threads(threads) schedule(dynamic, STRETCH)
    for (size_t p = 0; p < pair_count; p++) {
        float *own = room + (size_t)cdp_thread() * 2 * most, *value = values + p * columns;
        for (unsigned m = 0; m < count; m++)
            judge(&models[m], pairs[p], own, m ? value + m - 1 : NULL, value + count - 1 + m,
                  value + 2 * count - 1 + m);
    }
    free(room);
    return 0;
}

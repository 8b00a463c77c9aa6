// SPDX-License-Identifier: MIT
#include "knn/data/dataset.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "knn/data/permute.h"
#include "knn/distance.h"

void cdp_dataset_free(struct cdp_dataset *s)
{
    if (s->sketcher && s->square) { // not picked from another
        cdp_sketcher_free(s->sketcher);
        free(s->sketcher);
    }
    free(s->row);
    free(s->word);
    free(s->square);
    free(s->sketch);
    free(s->bytes);
    free(s->vector);
    *s = (struct cdp_dataset){0};
}

// How many bits of two items differ.
static double bits_apart(const struct cdp_dataset *s, uint64_t a, uint64_t b)
{
    const uint32_t *p = cdp_dataset_words(s, a), *q = cdp_dataset_words(s, b);
    int bits = 0;
    for (size_t w = 0; w < s->words; w++)
        bits += __builtin_popcount(p[w] ^ q[w]);
    return bits;
}

void cdp_dataset_keys(const struct cdp_dataset *s, const uint32_t *a, const uint32_t *b,
                      uint32_t count, float *room, double *key)
{
    const float *x[CDP_KEY_BATCH], *y[CDP_KEY_BATCH];
    size_t dim = s->matrix->dim;
    if (s->metric == CDP_HAMMING) {
        for (uint32_t i = 0; i < count; i++)
            key[i] = bits_apart(s, a[i], b[i]);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        float *own = room + 2 * i * dim;
        x[i] = i > 0 && a[i] == a[i - 1] ? x[i - 1]
                                         : cdp_matrix_row(s->matrix, cdp_dataset_row(s, a[i]), own);
        y[i] = cdp_matrix_row(s->matrix, cdp_dataset_row(s, b[i]), own + dim);
    }
    cdp_distance_sum(s->sums, s->metric)(x, y, count, dim, key);
    for (uint32_t i = 0; i < count; i++)
        key[i] = cdp_distance_key(s->metric, key[i], x[i], y[i], dim,
                                  s->square[cdp_dataset_row(s, a[i])],
                                  s->square[cdp_dataset_row(s, b[i])]);
}

float cdp_dataset_threshold(const struct cdp_dataset *s, double key)
{
    double least = -INFINITY;
    switch (s->metric) {
    case CDP_COSINE:
    case CDP_ANGULAR:
        least = -cdp_distance_of(CDP_COSINE, key) - s->error;
        break;
    case CDP_L2:
        least = -key * s->unit * s->unit / 2 * (1 + s->error) - s->error;
        break;
    case CDP_L1:
    case CDP_LINF:
    case CDP_HAMMING:
    case CDP_METRIC_NONE:
        least = key > 0 ? -key * (1 + s->error) : 0; // the error may be infinite
        break;
    }
    return nextafterf((float)least, -INFINITY);
}

// ---- another order

int cdp_dataset_permute(struct cdp_dataset *s, const uint32_t *order, int threads,
                        struct cdp_err *err)
{
    uint64_t count = s->matrix->rows;
    if (!s->row) {
        s->row = cdp_alloc(count, sizeof *s->row, "an order", err);
        for (uint64_t i = 0; s->row && i < count; i++)
            s->row[i] = (uint32_t)i;
    }
    if (!s->row)
        return -1;
    const struct cdp_array arrays[] = {{s->row, sizeof *s->row},
                                       {s->word, s->words * sizeof *s->word},
                                       {s->sketch, s->levels * sizeof *s->sketch},
                                       {s->bytes, s->byte_words * sizeof *s->bytes},
                                       {s->vector, sizeof *s->vector}};
    return cdp_permute(arrays, sizeof arrays / sizeof *arrays, count, order, threads, err);
}

// ---- scores

void cdp_dataset_products(const struct cdp_dataset *s, uint64_t a, const struct cdp_dataset *others,
                          const uint32_t *items, uint32_t count, unsigned level, float *out)
{
    const uint32_t *y[CDP_TILE_COLUMNS];
    uint32_t n = 0;
    if (count == 0)
        return;
    do
        y[n] = cdp_dataset_words(others, items[n]);
    while (++n < count);
    s->kernel->metric[s->metric].pairs(cdp_dataset_words(s, a), y, count,
                                       cdp_dataset_level_words(others, level), out);
}

void cdp_dataset_scores(const struct cdp_dataset *s, uint64_t a, const struct cdp_dataset *others,
                        const uint32_t *items, uint32_t count, float *score)
{
    if (!s->vector || count == 0) {
        cdp_dataset_products(s, a, others, items, count, others->levels - 1, score);
        return;
    }
    // Items are seldom near in memory: all are asked for at once.
    const uint32_t *y[CDP_TILE_COLUMNS];
    uint32_t n = 0;
    do {
        y[n] = others->bytes + items[n] * s->byte_words;
        cdp_dataset_prefetch(others, items[n]);
    } while (++n < count);
    s->kernel->metric[s->metric].pairs(s->bytes + a * s->byte_words, y, count, s->byte_words,
                                       score);
    struct cdp_vector v = s->vector[a];
    for (uint32_t i = 0; i < count; i++) {
        const struct cdp_vector *w = &others->vector[items[i]];
        score[i] = score[i] * (v.scale * w->scale) + (v.offset + w->offset);
    }
}

void cdp_dataset_sketch_scores(const struct cdp_dataset *s, uint64_t a,
                               const struct cdp_dataset *centroids, const uint32_t *items,
                               uint32_t count, float *score)
{
    unsigned last = centroids->levels - 1;
    cdp_dataset_products(s, a, centroids, items, count, last, score);
    for (uint32_t i = 0; s->vector && i < count; i++)
        score[i] -= (float)(cdp_dataset_sketch(centroids, items[i], last)->square / 2);
}

// SPDX-License-Identifier: MIT
#include "knn/data/dataset.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/threads.h"

enum { SPREAD_DIVISOR = 4 }; // see cdp_dataset_set_means; timed (README.md)

// ---- memory

void cdp_dataset_free(struct cdp_dataset *s)
{
    if (s->sketcher && s->square) { // not selected from another
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

int cdp_dataset_alloc_words(struct cdp_dataset *s, uint64_t count, struct cdp_err *err)
{
    s->word = cdp_alloc_aligned(count, s->words * sizeof *s->word, "the features", err);
    return s->word ? 0 : -1;
}

int cdp_dataset_alloc_bytes(struct cdp_dataset *s, uint64_t count, struct cdp_err *err)
{
    s->byte_words = (s->matrix->dim + 3) / 4;
    s->bytes = cdp_alloc_aligned(count, s->byte_words * sizeof *s->bytes, "the features", err);
    s->vector = cdp_alloc(count, sizeof *s->vector, "lengths", err);
    return s->bytes && s->vector ? 0 : -1;
}

int cdp_dataset_alloc_sketches(struct cdp_dataset *s, uint64_t count, struct cdp_err *err)
{
    s->sketch = cdp_alloc(count, s->levels * sizeof *s->sketch, "sketches", err);
    return s->sketch && !cdp_dataset_alloc_words(s, count, err) ? 0 : -1;
}

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

// ---- quantization

static float rounded_up(double x)
{
    return nextafterf((float)(x * (1 + 1e-9)), INFINITY);
}

void cdp_dataset_quantize(struct cdp_dataset *s, uint64_t i, const double *v)
{
    double square;
    float scale = rounded_up(s->quantizer->pair_scale(v, s->matrix->dim, &square));
    uint32_t *word = s->bytes + i * s->byte_words;
    word[s->byte_words - 1] = 0;
    struct cdp_quantized b =
        s->quantizer->quantize(v, s->matrix->dim, (double)scale, (int8_t *)word);
    s->vector[i] = (struct cdp_vector){
        .scale = scale,
        .offset = (float)(-square / 2),
        .length = rounded_up(sqrt(square) + s->error),
        .residual = rounded_up(sqrt(b.residual) + s->error),
    };
}

// ---- scores

void cdp_dataset_products(const struct cdp_dataset *s, uint64_t a, const struct cdp_dataset *others,
                          const uint32_t *items, uint32_t count, unsigned level, float *out)
{
    const uint32_t *y[CDP_TILE_COLUMNS];
    for (uint32_t i = 0; i < count; i++)
        y[i] = cdp_dataset_words(others, items[i]);
    if (count > 0)
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
    // Items are seldom adjacent in memory: prefetch all.
    const uint32_t *y[CDP_TILE_COLUMNS];
    for (uint32_t i = 0; i < count; i++) {
        y[i] = others->bytes + items[i] * s->byte_words;
        cdp_dataset_prefetch(others, items[i]);
    }
    s->kernel->metric[s->metric].pairs(s->bytes + a * s->byte_words, y, count, s->byte_words,
                                       score);
    struct cdp_vector v = s->vector[a];
    for (uint32_t i = 0; i < count; i++) {
        const struct cdp_vector *w = &others->vector[items[i]];
        score[i] = score[i] * (v.scale * w->scale) + (v.offset + w->offset);
    }
}

void cdp_dataset_sketch_scores(const struct cdp_dataset *s, uint64_t a,
                               const struct cdp_dataset *others, const uint32_t *items,
                               uint32_t count, float *score)
{
    unsigned last = others->levels - 1;
    cdp_dataset_products(s, a, others, items, count, last, score);
    for (uint32_t i = 0; s->vector && i < count; i++)
        score[i] -= (float)(cdp_dataset_sketch(others, items[i], last)->square / 2);
}

// ---- keys

static double hamming(const struct cdp_dataset *s, uint64_t a, uint64_t b)
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
            key[i] = hamming(s, a[i], b[i]);
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
    double score = -INFINITY;
    switch (s->metric) {
    case CDP_COSINE:
    case CDP_ANGULAR:
        score = -cdp_distance_of(CDP_COSINE, key) - s->error;
        break;
    case CDP_L2:
        score = -key * s->unit * s->unit / 2 * (1 + s->error) - s->error;
        break;
    case CDP_L1:
    case CDP_LINF:
    case CDP_HAMMING:
    case CDP_METRIC_NONE:
        score = key > 0 ? -key * (1 + s->error) : 0; // the error may be infinite
        break;
    }
    return nextafterf((float)score, -INFINITY);
}

// ---- selected items and means

int cdp_dataset_select(struct cdp_dataset *p, const struct cdp_dataset *s, unsigned level,
                       const uint32_t *items, uint64_t count, struct cdp_err *err)
{
    *p = (struct cdp_dataset){.matrix = s->matrix,
                              .kernel = s->kernel,
                              .quantizer = s->quantizer,
                              .metric = s->metric,
                              .words = cdp_dataset_level_words(s, level),
                              .error = s->error,
                              .sketcher = s->sketcher,
                              .levels = 1,
                              .level = level};
    if (s->vector
            ? cdp_dataset_alloc_sketches(p, count, err) || cdp_dataset_alloc_bytes(p, count, err)
            : cdp_dataset_alloc_words(p, count, err)) {
        cdp_dataset_free(p);
        return -1;
    }
    size_t bytes = p->byte_words;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t id = items[i];
        memcpy(p->word + i * p->words, cdp_dataset_words(s, id), p->words * sizeof *p->word);
        if (p->vector) {
            p->sketch[i] = *cdp_dataset_sketch(s, id, level);
            p->vector[i] = s->vector[id];
            memcpy(p->bytes + i * bytes, s->bytes + id * bytes, bytes * sizeof *p->bytes);
        }
    }
    return 0;
}

// A thread's memory: a sum, and means to be sketched together.
struct means {
    double *sum;
    float *vector; // of each mean, in 12 bits
    uint32_t *word;
    uint32_t count;
    uint64_t item[CDP_SKETCH_BLOCK]; // of each mean
    double square[CDP_SKETCH_BLOCK]; // mean of the squares of its members
};

static void free_means(struct means *means, int threads)
{
    for (int t = 0; means && t < threads; t++) {
        free(means[t].sum);
        free(means[t].vector);
        free(means[t].word);
    }
    free(means);
}

static struct means *new_means(const struct cdp_dataset *s, size_t numbers, int threads,
                               struct cdp_err *err)
{
    enum { BLOCK = CDP_SKETCH_BLOCK };
    struct means *means = cdp_zalloc((size_t)threads, sizeof *means, "threads", err);
    for (int t = 0; means && t < threads; t++) {
        struct means *m = &means[t];
        m->sum = cdp_alloc(numbers, sizeof *m->sum, "means", err);
        m->vector = cdp_alloc(BLOCK, numbers * sizeof *m->vector, "means", err);
        m->word = cdp_alloc(BLOCK, s->words * sizeof *m->word, "means", err);
        if (!m->sum || !m->vector || !m->word) {
            free_means(means, threads);
            return NULL;
        }
    }
    return means;
}

static void add_item(const struct cdp_dataset *s, uint64_t id, double *sum, size_t numbers)
{
    if (s->vector) {
        const uint32_t *bytes = s->bytes + id * s->byte_words;
        s->quantizer->add(sum, numbers, (double)s->vector[id].scale, (const int8_t *)bytes);
        return;
    }
    const uint32_t *word = cdp_dataset_words(s, id);
    for (size_t d = 0; d < numbers; d++)
        sum[d] += s->metric == CDP_HAMMING ? word[d / 32] >> d % 32 & 1
                                           : (double)((const float *)word)[d];
}

// Sketches the waiting means.
static void sketch_means(struct cdp_dataset *p, struct means *m)
{
    unsigned levels = p->sketcher->levels;
    struct cdp_sketch sketch[CDP_SKETCH_BLOCK * CDP_SKETCH_LEVELS];
    cdp_sketch(p->sketcher, m->vector, m->count, p->error, m->sum, sketch, m->word);
    for (uint32_t i = 0; i < m->count; i++) {
        uint64_t item = m->item[i];
        p->sketch[item] = sketch[i * levels + p->level];
        double spread = fmax(0, m->square[i] + 2 * (double)p->vector[item].offset) / SPREAD_DIVISOR;
        p->vector[item].offset -= (float)(spread / 2);
        p->sketch[item].square += (int32_t)(spread / (p->sketcher->step * p->sketcher->step));
        memcpy(p->word + item * p->words, m->word + i * p->sketcher->words,
               p->words * sizeof *p->word);
    }
    m->count = 0;
}

// Sets item i, except its sketch, to m->sum, the mean of members whose mean square is `square`.
static void set_mean(struct cdp_dataset *p, uint64_t i, struct means *m, double square,
                     size_t numbers)
{
    uint32_t *word = p->word + i * p->words;
    const double *mean = m->sum;
    if (p->vector) {
        cdp_dataset_quantize(p, i, mean);
        p->quantizer->round12(mean, numbers, m->vector + m->count * numbers);
        m->item[m->count] = i;
        m->square[m->count++] = square;
    } else if (p->metric == CDP_HAMMING) {
        memset(word, 0, p->words * sizeof *word);
        for (size_t d = 0; d < numbers; d++)
            word[d / 32] |= (uint32_t)(mean[d] > 0.5) << d % 32;
    } else {
        for (size_t d = 0; d < numbers; d++)
            ((float *)word)[d] = (float)mean[d];
    }
}

int cdp_dataset_set_means(struct cdp_dataset *p, const struct cdp_dataset *s, const uint64_t *start,
                          const uint32_t *member, uint64_t count, int threads, struct cdp_err *err)
{
    enum { BLOCK = CDP_SKETCH_BLOCK };
    size_t numbers = s->metric == CDP_HAMMING ? 32 * s->words : s->matrix->dim;
    struct means *means = new_means(s, numbers, threads, err);
    if (!means)
        return -1;
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
    for (uint64_t from = 0; from < count; from += BLOCK) {
        struct means *m = &means[cdp_thread()];
        for (uint64_t i = from; i < count && i < from + BLOCK; i++) {
            double square = 0, members = (double)(start[i + 1] - start[i]);
            if (start[i] == start[i + 1])
                continue;
            memset(m->sum, 0, numbers * sizeof *m->sum);
            for (uint64_t at = start[i]; at < start[i + 1]; at++) {
                add_item(s, member[at], m->sum, numbers);
                square -= s->vector ? 2 * (double)s->vector[member[at]].offset : 0;
            }
            for (size_t d = 0; d < numbers; d++)
                m->sum[d] /= members;
            set_mean(p, i, m, square / members, numbers);
        }
        if (m->count > 0)
            sketch_means(p, m);
    }
    free_means(means, threads);
    return 0;
}

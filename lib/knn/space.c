// SPDX-License-Identifier: MIT
#include "knn/space.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/threads.h"
#include "knn/distance.h"

enum { SAMPLE = 1 << 14 }; // rows that the mean is taken of

// A thread's memory.
struct room {
    float *x;
    double *v;
};

static bool has_product(enum cdp_metric metric)
{
    return metric == CDP_COSINE || metric == CDP_ANGULAR || metric == CDP_L2;
}

static double unit_of(const struct cdp_space *s, uint64_t row)
{
    return s->metric == CDP_L2 ? s->unit : 1 / sqrt(s->square[row]);
}

static float rounded_up(double x)
{
    return nextafterf((float)(x * (1 + 1e-9)), INFINITY);
}

// ---- the rows

static int fail_row(const struct cdp_space *s, uint64_t row, float *x, struct cdp_err *err)
{
    cdp_matrix_row_f32(s->matrix, row, x);
    for (size_t d = 0; d < s->matrix->dim; d++) {
        if (!isfinite(x[d]))
            return cdp_fail(err, "%s: row %llu: number %zu is %g; finite numbers are wanted",
                            s->matrix->name, (unsigned long long)row, d, (double)x[d]);
    }
    return cdp_fail(err,
                    "%s: row %llu: all zeros, so it has no direction: remove it, or use --metric "
                    "l2, l1 or linf",
                    s->matrix->name, (unsigned long long)row);
}

// Squares of all rows, which also shows whether each can be used. Each thread's x serves as room.
static int measure(struct cdp_space *s, const struct room *room, int threads, struct cdp_err *err)
{
    uint64_t rows = s->matrix->rows, bad = rows;
    size_t dim = s->matrix->dim;
    double most = 0;
#pragma omp parallel for num_threads(threads) schedule(static) reduction(min                  \
                                                                         : bad) reduction(max \
                                                                                          : most)
    for (uint64_t row = 0; row < rows; row++) {
        const float *x = cdp_matrix_row(s->matrix, row, room[cdp_thread()].x);
        double square = s->sums->dot(x, x, dim);
        bool point = s->metric != CDP_COSINE && s->metric != CDP_ANGULAR;
        if ((!isfinite(square) || (square == 0 && !point)) && row < bad)
            bad = row;
        s->square[row] = square;
        most = square > most ? square : most;
    }
    if (bad < rows)
        return fail_row(s, bad, room[0].x, err);
    s->unit = most > 0 ? exp2(-ceil(log2(most) / 2)) : 1;
    return 0;
}

// ---- bytes

// The mean of a sample of the rows, unless that is farther from them than 0 is.
static void centre(const struct cdp_space *s, const struct room *room, double *mean)
{
    size_t dim = s->matrix->dim;
    uint64_t rows = s->matrix->rows, count = rows < SAMPLE ? rows : SAMPLE;
    memset(mean, 0, dim * sizeof *mean);
    for (uint64_t i = 0; i < count; i++) {
        uint64_t row = i * rows / count;
        const float *x = cdp_matrix_row(s->matrix, row, room->x);
        double unit = unit_of(s, row) / (double)count;
        for (size_t d = 0; d < dim; d++)
            mean[d] += unit * (double)x[d];
    }
    double with = 0, without = 0;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t row = i * rows / count;
        const float *x = cdp_matrix_row(s->matrix, row, room->x);
        double unit = unit_of(s, row), square = 0;
        for (size_t d = 0; d < dim; d++) {
            double v = unit * (double)x[d] - mean[d];
            square += v * v;
        }
        with += sqrt(square);
        without += unit * sqrt(s->square[row]);
    }
    if (with >= without)
        memset(mean, 0, dim * sizeof *mean);
}

// The least scale with which the bytes of v keep the limits of kernel.h, rounding included.
static double scale_of(const double *v, size_t dim)
{
    double most = 0, longest = 0, all = 0;
    double chunk[2] = {0};
    for (size_t d = 0; d < dim; d += 2) {
        double a = fabs(v[d]), b = d + 1 < dim ? fabs(v[d + 1]) : 0;
        most = a + b > most ? a + b : most;
        chunk[d / 2 % 2] += a * a + b * b;
        if (d + 2 >= dim || (d + 2) % (4 * CDP_DOT_CHUNK) == 0) {
            longest = fmax(longest, fmax(chunk[0], chunk[1]));
            all += chunk[0] + chunk[1];
            chunk[0] = chunk[1] = 0;
        }
    }
    double part = sqrt(longest) / (CDP_DOT_LENGTH - sqrt(2 * CDP_DOT_CHUNK) / 2);
    double whole = sqrt(all) / (CDP_DOT_WHOLE - sqrt((double)dim) / 2);
    return fmax(most / (CDP_DOT_PAIR - 1), fmax(part, whole)) * (1 + 1e-6);
}

// Makes v item `row`.
static void set_bytes(struct cdp_space *s, uint64_t row, const double *v)
{
    size_t dim = s->matrix->dim;
    double length = 0, residual = 0;
    for (size_t d = 0; d < dim; d++)
        length += v[d] * v[d];
    float scale = rounded_up(scale_of(v, dim));
    int32_t sum = 0;
    double inverse = 1 / (double)scale;
    int8_t *q = (int8_t *)(s->own + row * s->words);
    memset(q, 0, s->words * sizeof *s->own);
    for (size_t d = 0; d < dim; d++) {
        // Adding and taking away 1.5 x 2^52 rounds to an integer.
        double rounded = v[d] * inverse + 0x1.8p52 - 0x1.8p52;
        q[d] = (int8_t)rounded;
        sum += q[d];
        double e = v[d] - (double)scale * rounded;
        residual += e * e;
    }
    s->scale[row] = scale;
    s->offset[row] = (float)(-length / 2);
    s->length[row] = rounded_up(sqrt(length) + s->error);
    s->residual[row] = rounded_up(sqrt(residual) + s->error);
    s->start[row] = (int32_t)(0 - 128 * (uint32_t)sum); // modulo 2^32, as the products are
}

static void make_bytes(struct cdp_space *s, uint64_t row, const struct room *room,
                       const double *mean)
{
    const float *x = cdp_matrix_row(s->matrix, row, room->x);
    double unit = unit_of(s, row);
    for (size_t d = 0; d < s->matrix->dim; d++)
        room->v[d] = unit * (double)x[d] - mean[d];
    set_bytes(s, row, room->v);
}

// Room for `count` items of s->words words.
static int new_words(struct cdp_space *s, uint64_t count, struct cdp_err *err)
{
    s->stride = s->words;
    s->word = s->own = cdp_alloc_aligned(count, s->words * sizeof *s->own, "the features", err);
    if (!s->own || !has_product(s->metric))
        return s->own ? 0 : -1;
    s->scale = cdp_alloc(count, sizeof *s->scale, "scales", err);
    s->offset = cdp_alloc(count, sizeof *s->offset, "lengths", err);
    s->length = cdp_alloc(count, sizeof *s->length, "lengths", err);
    s->residual = cdp_alloc(count, sizeof *s->residual, "lengths", err);
    s->start = cdp_alloc(count, sizeof *s->start, "sums", err);
    return s->scale && s->offset && s->length && s->residual && s->start ? 0 : -1;
}

static int build_bytes(struct cdp_space *s, const struct room *room, int threads,
                       struct cdp_err *err)
{
    uint64_t rows = s->matrix->rows;
    s->words = (s->matrix->dim + 3) / 4;
    double *mean = cdp_alloc(s->matrix->dim, sizeof *mean, "the mean", err);
    int status = !mean || new_words(s, rows, err);
    if (!status) {
        centre(s, room, mean);
#pragma omp parallel for num_threads(threads) schedule(static)
        for (uint64_t row = 0; row < rows; row++)
            make_bytes(s, row, &room[cdp_thread()], mean);
    }
    free(mean);
    return status ? -1 : 0;
}

// ---- bits

static int build_bits(struct cdp_space *s, const struct room *room, int threads,
                      struct cdp_err *err)
{
    const struct cdp_matrix *m = s->matrix;
    bool packed = m->number == CDP_U8 || m->number == CDP_I8;
    s->words = (m->dim * (packed ? 8 : 1) + 31) / 32;
    if (new_words(s, m->rows, err))
        return -1;
    memset(s->own, 0, m->rows * s->words * sizeof *s->own);
#pragma omp parallel for num_threads(threads) schedule(static)
    for (uint64_t row = 0; row < m->rows; row++) {
        const float *x = packed ? NULL : cdp_matrix_row(m, row, room[cdp_thread()].x);
        const unsigned char *at = m->data + row * m->row_stride;
        uint32_t *word = s->own + row * s->words;
        for (size_t d = 0; d < m->dim; d++) {
            size_t bit = packed ? d * 8 : d;
            uint32_t value = packed ? at[d * m->number_stride] : x[d] > 0;
            word[bit / 32] |= value << bit % 32;
        }
    }
    return 0;
}

// ---- numbers

static int build_numbers(struct cdp_space *s, int threads, struct cdp_err *err)
{
    const struct cdp_matrix *m = s->matrix;
    s->words = m->dim;
    if (cdp_matrix_plain(m)) {
        s->word = (const void *)m->data;
        s->stride = m->row_stride / sizeof *s->word;
        return 0;
    }
    if (new_words(s, m->rows, err))
        return -1;
#pragma omp parallel for num_threads(threads) schedule(static)
    for (uint64_t row = 0; row < m->rows; row++)
        cdp_matrix_row_f32(m, row, (float *)(s->own + row * s->words));
    return 0;
}

// ---- all

int cdp_space_build(struct cdp_space *s, const struct cdp_matrix *matrix, enum cdp_metric metric,
                    int threads, struct cdp_err *err)
{
    double roundings = ((double)matrix->dim + 4) * 0x1p-24;
    *s = (struct cdp_space){.matrix = matrix,
                            .kernel = cdp_kernel(),
                            .sums = cdp_sums(),
                            .metric = metric,
                            // A row so long that the bound says nothing has all items ranked.
                            .error = has_product(metric) ? ((double)matrix->dim + 16) * 0x1p-51
                                     : metric == CDP_LINF || metric == CDP_HAMMING ? 0x1p-22
                                     : roundings < 0.5
                                         ? roundings / (1 - roundings) + 1e-30 * (double)matrix->dim
                                         : INFINITY};
    s->square = cdp_alloc(matrix->rows, sizeof *s->square, "lengths", err);
    struct room *room = cdp_zalloc((size_t)threads, sizeof *room, "threads", err);
    int status = s->square && room ? 0 : -1;
    for (int t = 0; !status && t < threads; t++) {
        room[t].x = cdp_alloc(matrix->dim, sizeof *room[t].x, "a row", err);
        room[t].v = cdp_alloc(matrix->dim, sizeof *room[t].v, "a row", err);
        status = room[t].x && room[t].v ? 0 : -1;
    }
    if (!status)
        status = measure(s, room, threads, err);
    if (!status && has_product(metric))
        status = build_bytes(s, room, threads, err);
    else if (!status && metric == CDP_HAMMING)
        status = build_bits(s, room, threads, err);
    else if (!status)
        status = build_numbers(s, threads, err);
    for (int t = 0; room && t < threads; t++) {
        free(room[t].x);
        free(room[t].v);
    }
    free(room);
    if (status)
        cdp_space_free(s);
    return status;
}

void cdp_space_free(struct cdp_space *s)
{
    free(s->own);
    free(s->square);
    free(s->scale);
    free(s->offset);
    free(s->length);
    free(s->residual);
    free(s->start);
    *s = (struct cdp_space){0};
}

double cdp_space_key(const struct cdp_space *s, uint64_t a, uint64_t b, const float *x, float *room)
{
    if (s->metric == CDP_HAMMING) {
        const uint32_t *p = s->word + a * s->words, *q = s->word + b * s->words;
        int bits = 0;
        for (size_t w = 0; w < s->words; w++)
            bits += __builtin_popcount(p[w] ^ q[w]);
        return bits;
    }
    const float *y = cdp_matrix_row(s->matrix, b, room);
    return cdp_distance_key(s->sums, s->metric, x, y, s->matrix->dim, s->square[a], s->square[b]);
}

float cdp_space_least(const struct cdp_space *s, double key)
{
    double least = -INFINITY;
    switch (s->metric) {
    case CDP_COSINE:
    case CDP_ANGULAR:
        least = -1 - key - s->error;
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

// ---- picked items and their means

int cdp_space_pick(struct cdp_space *p, const struct cdp_space *s, const uint32_t *items,
                   uint64_t count, struct cdp_err *err)
{
    *p = (struct cdp_space){.matrix = s->matrix,
                            .kernel = s->kernel,
                            .metric = s->metric,
                            .words = s->words,
                            .error = s->error};
    if (new_words(p, count, err)) {
        cdp_space_free(p);
        return -1;
    }
    for (uint64_t i = 0; i < count; i++) {
        memcpy(p->own + i * p->words, cdp_space_words(s, items[i]), p->words * sizeof *p->own);
        if (p->scale) {
            p->scale[i] = s->scale[items[i]];
            p->offset[i] = s->offset[items[i]];
            p->length[i] = s->length[items[i]];
            p->residual[i] = s->residual[items[i]];
            p->start[i] = s->start[items[i]];
        }
    }
    return 0;
}

// Adds an item to the sum, bits as numbers.
static void add_item(const struct cdp_space *s, uint64_t id, double *sum, size_t numbers)
{
    const uint32_t *word = cdp_space_words(s, id);
    if (s->scale) {
        const int8_t *q = (const int8_t *)word;
        for (size_t d = 0; d < numbers; d++)
            sum[d] += (double)s->scale[id] * q[d];
    } else if (s->metric == CDP_HAMMING) {
        for (size_t d = 0; d < numbers; d++)
            sum[d] += word[d / 32] >> d % 32 & 1;
    } else {
        const float *x = (const float *)word;
        for (size_t d = 0; d < numbers; d++)
            sum[d] += (double)x[d];
    }
}

// Makes the numbers item i.
static void set_item(struct cdp_space *p, uint64_t i, const double *mean, size_t numbers)
{
    uint32_t *word = p->own + i * p->words;
    if (p->scale) {
        set_bytes(p, i, mean);
    } else if (p->metric == CDP_HAMMING) {
        memset(word, 0, p->words * sizeof *word);
        for (size_t d = 0; d < numbers; d++)
            word[d / 32] |= (uint32_t)(mean[d] > 0.5) << d % 32;
    } else {
        for (size_t d = 0; d < numbers; d++)
            ((float *)word)[d] = (float)mean[d];
    }
}

int cdp_space_move(struct cdp_space *p, const struct cdp_space *s, const struct cdp_sets *sets,
                   int threads, struct cdp_err *err)
{
    size_t numbers = s->metric == CDP_HAMMING ? 32 * s->words : s->matrix->dim;
    double *sums = cdp_alloc((size_t)threads, numbers * sizeof *sums, "means", err);
    if (!sums)
        return -1;
#pragma omp parallel for num_threads(threads) schedule(dynamic, 16)
    for (uint64_t i = 0; i < sets->count; i++) {
        uint64_t first = sets->start[i], end = sets->start[i + 1];
        double *sum = sums + (size_t)cdp_thread() * numbers;
        memset(sum, 0, numbers * sizeof *sum);
        for (uint64_t m = first; m < end; m++)
            add_item(s, sets->member[m], sum, numbers);
        for (size_t d = 0; d < numbers; d++)
            sum[d] /= (double)(end - first);
        if (end > first)
            set_item(p, i, sum, numbers);
    }
    free(sums);
    return 0;
}

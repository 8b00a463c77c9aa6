// SPDX-License-Identifier: MIT
#include "knn/data/build.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/random.h"
#include "base/threads.h"
#include "knn/data/quantize.h"
#include "knn/distance.h"

enum {
    SAMPLE = 1 << 12,             // rows that the mean is taken of
    LEARN = 4096,                 // rows that sketches are learned from
    LEARN_BYTES = 1 << 28,        // of them, at most
    REACHES = CDP_SKETCH_REACHES, // of which so many tell how far neighbours are
    OTHERS = 1 << 15,             // among so many
    SEED = 1,
    TOGETHER = CDP_TILE_COLUMNS,
};

// A thread's memory.
struct room {
    float *x;
    double *v;
};

static bool has_product(enum cdp_metric metric)
{
    return metric == CDP_COSINE || metric == CDP_ANGULAR || metric == CDP_L2;
}

static double unit_of(const struct cdp_dataset *s, uint64_t row)
{
    return s->metric == CDP_L2 ? s->unit : 1 / sqrt(s->square[row]);
}

static float rounded_up(double x)
{
    return nextafterf((float)(x * (1 + 1e-9)), INFINITY);
}

// ---- room

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

// ---- the rows

static int fail_row(const struct cdp_dataset *s, uint64_t row, float *x, struct cdp_err *err)
{
    unsigned long long origin = cdp_matrix_origin(s->matrix, row);
    cdp_matrix_row_f32(s->matrix, row, x);
    for (size_t d = 0; d < s->matrix->dim; d++) {
        if (!isfinite(x[d]))
            return cdp_fail(err, "%s: row %llu: number %zu is %g; finite numbers are wanted",
                            s->matrix->name, origin, d, (double)x[d]);
    }
    return cdp_fail(err,
                    "%s: row %llu: all zeros, so it has no direction: remove it, or use --metric "
                    "l2, l1 or linf",
                    s->matrix->name, origin);
}

static double distance_to(const struct cdp_dataset *s, const float *x, uint64_t row, float *room)
{
    size_t dim = s->matrix->dim;
    const float *y = cdp_matrix_row(s->matrix, row, room);
    return cdp_distance_of(s->metric, cdp_sum(cdp_distance_sum(s->sums, s->metric), x, y, dim));
}

// The row farthest from x, the first of them, and its distance.
static uint64_t farthest_from(const struct cdp_dataset *s, const float *x, float *room,
                              double *distance)
{
    uint64_t farthest = 0;
    *distance = -1;
    for (uint64_t row = 0; row < s->matrix->rows; row++) {
        double own = distance_to(s, x, row, room);
        farthest = own > *distance ? row : farthest;
        *distance = own > *distance ? own : *distance;
    }
    return farthest;
}

// Fails unless all distances of l2, l1 or linf are float32 numbers. Of two rows far from each
// other, the one farthest from the first row and the one farthest from that, either they are too
// far apart, or all rows must be near the point halfway between them.
static int check_distances(const struct cdp_dataset *s, double most_square, struct cdp_err *err)
{
    size_t dim = s->matrix->dim;
    double bound = sqrt(most_square * (s->metric == CDP_L1 ? (double)dim : 1));
    if (s->metric == CDP_HAMMING || 2.1 * bound < (double)FLT_MAX)
        return 0;
    float *x = cdp_alloc(dim, 3 * sizeof *x, "rows", err);
    if (!x)
        return -1;
    float *y = x + dim, *room = y + dim;
    double apart, radius;
    cdp_matrix_row_f32(s->matrix, 0, x);
    uint64_t a = farthest_from(s, x, room, &apart);
    cdp_matrix_row_f32(s->matrix, a, x);
    uint64_t b = farthest_from(s, x, room, &apart);
    cdp_matrix_row_f32(s->matrix, b, y);
    for (size_t d = 0; d < dim; d++)
        y[d] = (float)(((double)x[d] + (double)y[d]) / 2);
    uint64_t c = farthest_from(s, y, room, &radius);
    free(x);
    if (!isinf((float)apart) && 2 * radius <= (1 + 0x1p-20) * (double)FLT_MAX)
        return 0;
    uint64_t other = isinf((float)apart) ? b : c;
    return cdp_fail(err,
                    "%s: rows %llu and %llu are so far apart that distances may be beyond float32 "
                    "(3.4e38): remove such rows, or scale all rows down",
                    s->matrix->name,
                    (unsigned long long)cdp_matrix_origin(s->matrix, a < other ? a : other),
                    (unsigned long long)cdp_matrix_origin(s->matrix, a < other ? other : a));
}

// Squares of all rows, which also shows whether each can be used. Each thread's x serves as room.
static int measure(struct cdp_dataset *s, const struct room *room, int threads, struct cdp_err *err)
{
    uint64_t rows = s->matrix->rows, bad = rows;
    size_t dim = s->matrix->dim;
    double most = 0;
#pragma omp parallel for num_threads(threads) schedule(static) reduction(min                  \
                                                                         : bad) reduction(max \
                                                                                          : most)
    for (uint64_t row = 0; row < rows; row++) {
        const float *x = cdp_matrix_row(s->matrix, row, room[cdp_thread()].x);
        double square = cdp_sum(s->sums->dot, x, x, dim);
        bool point = s->metric != CDP_COSINE && s->metric != CDP_ANGULAR;
        if ((!isfinite(square) || (square == 0 && !point)) && row < bad)
            bad = row;
        s->square[row] = square;
        most = square > most ? square : most;
    }
    if (bad < rows)
        return fail_row(s, bad, room[0].x, err);
    s->unit = most > 0 ? exp2(-ceil(log2(most) / 2)) : 1;
    return s->metric == CDP_COSINE || s->metric == CDP_ANGULAR ? 0 : check_distances(s, most, err);
}

// ---- bytes

// The mean of a sample of the rows, unless that is farther from them than 0 is.
static void centroid(const struct cdp_dataset *s, const struct room *room, double *mean)
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

void cdp_dataset_quantize(struct cdp_dataset *s, uint64_t i, const double *v)
{
    double square, finest = s->quantizer->finest(v, s->matrix->dim, &square);
    float scale = rounded_up(finest);
    uint32_t *word = s->bytes + i * s->byte_words;
    word[s->byte_words - 1] = 0;
    struct cdp_quantized b = s->quantizer->round(v, s->matrix->dim, (double)scale, (int8_t *)word);
    s->vector[i] = (struct cdp_vector){
        .scale = scale,
        .offset = (float)(-square / 2),
        .length = rounded_up(sqrt(square) + s->error),
        .residual = rounded_up(sqrt(b.residual) + s->error),
    };
}

static void vector_of(const struct cdp_dataset *s, uint64_t row, float *x, const double *mean,
                      double *v)
{
    const float *numbers = cdp_matrix_row(s->matrix, row, x);
    s->quantizer->place(numbers, s->matrix->dim, unit_of(s, row), mean, v);
}

// Leaves the vector in room->v.
static void set_bytes(struct cdp_dataset *s, uint64_t row, const struct room *room,
                      const double *mean)
{
    vector_of(s, row, room->x, mean, room->v);
    cdp_dataset_quantize(s, row, room->v);
}

// ---- sketches

// Adds to the `near` best scores of a row, the best first, those of some others.
static void add_best(const struct cdp_dataset *s, uint64_t row, const uint32_t *other,
                     uint32_t count, float *best, uint64_t near)
{
    float score[TOGETHER];
    cdp_dataset_scores(s, row, s, other, count, score);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t at = near;
        for (; at > 0 && best[at - 1] < score[i] && other[i] != row; at--) {
            if (at < near)
                best[at] = best[at - 1];
        }
        if (at < near)
            best[at] = score[i];
    }
}

// About how far, in the data, some rows reach to their k-th neighbours, by some of the others.
static void reach_of(struct cdp_dataset *s, const uint64_t *row, size_t reaches, uint32_t k,
                     const struct room *room, const double *mean, float *reach, int threads)
{
    enum { MOST = 64 };
    float best[REACHES][MOST];
    uint64_t rows = s->matrix->rows, count = rows < OTHERS ? rows : OTHERS;
    uint64_t near = (k * count + rows - 1) / rows;
    near = near < MOST ? near : MOST;
    for (size_t r = 0; r < reaches; r++) {
        for (int i = 0; i < MOST; i++)
            best[r][i] = -INFINITY;
    }
#pragma omp parallel for num_threads(threads) schedule(static)
    for (uint64_t i = 0; i < count; i++)
        set_bytes(s, i * rows / count, &room[cdp_thread()], mean);
    for (size_t r = 0; r < reaches; r++) // some of which are others too
        set_bytes(s, row[r], room, mean);
#pragma omp parallel num_threads(threads)
    for (uint64_t from = 0; from < count; from += TOGETHER) {
        // They come from memory once for all rows of a thread.
        uint32_t other[TOGETHER],
            here = (uint32_t)(count - from < TOGETHER ? count - from : TOGETHER);
        for (uint32_t i = 0; i < here; i++)
            other[i] = (uint32_t)((from + i) * rows / count);
#pragma omp for schedule(static) nowait
        for (size_t r = 0; r < reaches; r++)
            add_best(s, row[r], other, here, best[r], near);
    }
    for (size_t r = 0; r < reaches; r++)
        reach[r] = sqrtf(fmaxf(0, -2 * best[r][near - 1]));
}

// Learns how to sketch from rows taken here and there.
static int learn(struct cdp_dataset *s, uint32_t k, bool all_pairs, const struct room *room,
                 const double *mean, int threads, struct cdp_err *err)
{
    uint64_t rows = s->matrix->rows;
    size_t dim = s->matrix->dim, most = LEARN_BYTES / (dim * sizeof(float));
    size_t count = rows / 4 < LEARN ? rows / 4 : LEARN;
    count = count < most ? count : most;
    count = count > REACHES ? count : rows < REACHES ? rows : REACHES;
    uint64_t *chosen = cdp_alloc(count, sizeof *chosen, "a choice of rows", err);
    float *vectors = cdp_alloc(count, dim * sizeof *vectors, "a choice of rows", err);
    float reach[REACHES];
    size_t reaches = count < REACHES ? count : REACHES;
    int status = chosen && vectors ? 0 : -1;
    if (!status) {
        for (size_t i = 0; i < count; i++)
            chosen[i] = cdp_random(SEED, i) % rows;
#pragma omp parallel for num_threads(threads) schedule(static)
        for (size_t i = 0; i < count; i++) {
            const struct room *own = &room[cdp_thread()];
            vector_of(s, chosen[i], own->x, mean, own->v);
            s->quantizer->shorten(own->v, dim, vectors + i * dim);
        }
        reach_of(s, chosen, reaches, k, room, mean, reach, threads);
        s->sketcher = cdp_zalloc(1, sizeof *s->sketcher, "directions", err);
        status = s->sketcher ? cdp_sketcher_new(s->sketcher, vectors, count, dim, reach, reaches,
                                                all_pairs, s->kernel, threads, err)
                             : -1;
    }
    free(chosen);
    free(vectors);
    return status;
}

// The bytes and the sketches of all rows.
static int make_items(struct cdp_dataset *s, const struct room *room, const double *mean,
                      int threads, struct cdp_err *err)
{
    enum { BLOCK = CDP_SKETCH_BLOCK };
    uint64_t rows = s->matrix->rows;
    size_t dim = s->matrix->dim;
    float *vectors = cdp_alloc((size_t)threads, BLOCK * dim * sizeof *vectors, "rows", err);
#pragma omp parallel for num_threads(threads) schedule(static) if (vectors)
    for (uint64_t row = 0; row < (vectors ? rows : 0); row += BLOCK) {
        const struct room *own = &room[cdp_thread()];
        float *vector = vectors + (size_t)cdp_thread() * BLOCK * dim;
        size_t here = rows - row < BLOCK ? rows - row : BLOCK;
        for (size_t i = 0; i < here; i++) {
            set_bytes(s, row + i, own, mean);
            s->quantizer->shorten(own->v, dim, vector + i * dim);
        }
        cdp_sketch(s->sketcher, vector, here, s->error, own->v, s->sketch + row * s->levels,
                   s->word + row * s->words);
    }
    int status = vectors ? 0 : -1;
    free(vectors);
    return status;
}

static int build_vectors(struct cdp_dataset *s, uint32_t k, bool all_pairs, const struct room *room,
                         int threads, struct cdp_err *err)
{
    double *mean = cdp_alloc(s->matrix->dim, sizeof *mean, "the mean", err);
    int status = !mean || cdp_dataset_alloc_bytes(s, s->matrix->rows, err);
    if (!status) {
        centroid(s, room, mean);
        status = learn(s, k, all_pairs, room, mean, threads, err);
    }
    if (!status) {
        s->words = s->sketcher->words;
        s->levels = s->sketcher->levels;
        status = cdp_dataset_alloc_sketches(s, s->matrix->rows, err) ||
                 make_items(s, room, mean, threads, err);
    }
    free(mean);
    return status ? -1 : 0;
}

// ---- bits

static int build_bits(struct cdp_dataset *s, const struct room *room, int threads,
                      struct cdp_err *err)
{
    const struct cdp_matrix *m = s->matrix;
    bool packed = m->number == CDP_U8 || m->number == CDP_I8;
    s->words = (m->dim * (packed ? 8 : 1) + 31) / 32;
    if (cdp_dataset_alloc_words(s, m->rows, err))
        return -1;
    memset(s->word, 0, m->rows * s->words * sizeof *s->word);
#pragma omp parallel for num_threads(threads) schedule(static)
    for (uint64_t row = 0; row < m->rows; row++) {
        const float *x = packed ? NULL : cdp_matrix_row(m, row, room[cdp_thread()].x);
        const unsigned char *at = cdp_matrix_at(m, row);
        uint32_t *word = s->word + row * s->words;
        for (size_t d = 0; d < m->dim; d++) {
            size_t bit = packed ? d * 8 : d;
            uint32_t value = packed ? at[d * m->number_stride] : x[d] > 0;
            word[bit / 32] |= value << bit % 32;
        }
    }
    return 0;
}

// ---- numbers

static int build_numbers(struct cdp_dataset *s, int threads, struct cdp_err *err)
{
    const struct cdp_matrix *m = s->matrix;
    s->words = m->dim;
    if (cdp_matrix_plain(m))
        return 0;
    if (cdp_dataset_alloc_words(s, m->rows, err))
        return -1;
#pragma omp parallel for num_threads(threads) schedule(static)
    for (uint64_t row = 0; row < m->rows; row++)
        cdp_matrix_row_f32(m, row, (float *)(s->word + row * s->words));
    return 0;
}

// ---- all

int cdp_dataset_build(struct cdp_dataset *s, const struct cdp_matrix *matrix,
                      enum cdp_metric metric, uint32_t k, bool all_pairs, int threads,
                      struct cdp_err *err)
{
    double roundings = ((double)matrix->dim + 4) * 0x1p-24;
    *s = (struct cdp_dataset){.matrix = matrix,
                              .kernel = cdp_kernel(),
                              .sums = cdp_sums(),
                              .quantizer = cdp_quantizer(),
                              .metric = metric,
                              .levels = 1,
                              // A row so long that the bound says nothing has all items ranked.
                              .error = has_product(metric) ? ((double)matrix->dim + 16) * 0x1p-51
                                       : metric == CDP_LINF || metric == CDP_HAMMING ? 0x1p-22
                                       : roundings < 0.5 ? roundings / (1 - roundings) +
                                                               1e-30 * (double)matrix->dim
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
        status = build_vectors(s, k, all_pairs, room, threads, err);
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
        cdp_dataset_free(s);
    return status;
}

// SPDX-License-Identifier: MIT
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/random.h"
#include "base/threads.h"
#include "knn/data/dataset.h"

// From the rows of a matrix to a dataset: rows are checked, quantized and sketched, in this order.

// Sizes of samples, in rows. Timed (README.md); only speed depends on them.
enum {
    MEAN_ROWS = 1 << 12,   // for the mean
    LEARN_ROWS = 1 << 12,  // for PCA,
    LEARN_BYTES = 1 << 28, // of at most this size
    QUERIES = CDP_SKETCH_QUERIES,
    OTHERS = 1 << 15, // among which the queries' k-th distances are estimated
    NEAR = 64,        // entries of such a list, at most
    SEED = 1,
    COLUMNS = CDP_TILE_COLUMNS,
};

// A thread's memory: a row, and a vector.
struct room {
    float *x;
    double *v;
};

static bool has_product(enum cdp_metric metric)
{
    return metric == CDP_COSINE || metric == CDP_ANGULAR || metric == CDP_L2;
}

static bool has_direction(enum cdp_metric metric)
{
    return metric == CDP_COSINE || metric == CDP_ANGULAR;
}

// u of dataset.h is multiplication by this.
static double unit_of(const struct cdp_dataset *s, uint64_t row)
{
    return s->metric == CDP_L2 ? s->unit : 1 / sqrt(s->square[row]);
}

// ---- checking rows

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

// The row farthest from x, the first of them, and its distance.
static uint64_t farthest_from(const struct cdp_dataset *s, const float *x, float *room,
                              double *distance)
{
    uint64_t farthest = 0;
    *distance = -1;
    for (uint64_t row = 0; row < s->matrix->rows; row++) {
        const float *y = cdp_matrix_row(s->matrix, row, room);
        double sum = cdp_sum(cdp_distance_sum(s->sums, s->metric), x, y, s->matrix->dim);
        double own = cdp_distance_of(s->metric, sum);
        farthest = own > *distance ? row : farthest;
        *distance = own > *distance ? own : *distance;
    }
    return farthest;
}

// Fails unless all distances of l2, l1 or linf fit float32. Row a is the farthest from row 0, row b
// the farthest from a. Either a and b are too far apart, or all rows must be near the point halfway
// between them.
static int check_distances(const struct cdp_dataset *s, double max_square, struct cdp_err *err)
{
    size_t dim = s->matrix->dim;
    double bound = sqrt(max_square * (s->metric == CDP_L1 ? (double)dim : 1));
    if (s->metric == CDP_HAMMING || 2.1 * bound < (double)FLT_MAX)
        return 0;
    float *x = cdp_alloc(dim, 3 * sizeof *x, "rows", err);
    if (!x)
        return -1;
    float *y = x + dim, *room = y + dim;
    double distance, radius;
    cdp_matrix_row_f32(s->matrix, 0, x);
    uint64_t a = farthest_from(s, x, room, &distance);
    cdp_matrix_row_f32(s->matrix, a, x);
    uint64_t b = farthest_from(s, x, room, &distance);
    cdp_matrix_row_f32(s->matrix, b, y);
    for (size_t d = 0; d < dim; d++)
        y[d] = (float)(((double)x[d] + (double)y[d]) / 2);
    uint64_t c = farthest_from(s, y, room, &radius);
    free(x);
    if (!isinf((float)distance) && 2 * radius <= (1 + 0x1p-20) * (double)FLT_MAX)
        return 0;
    uint64_t other = isinf((float)distance) ? b : c;
    return cdp_fail(err,
                    "%s: rows %llu and %llu are so far apart that distances may be beyond float32 "
                    "(3.4e38): remove such rows, or scale all rows down",
                    s->matrix->name,
                    (unsigned long long)cdp_matrix_origin(s->matrix, a < other ? a : other),
                    (unsigned long long)cdp_matrix_origin(s->matrix, a < other ? other : a));
}

// Computes the squares of all rows, and fails for the first row that cannot be used.
static int check_rows(struct cdp_dataset *s, const struct room *room, int threads,
                      struct cdp_err *err)
{
    uint64_t rows = s->matrix->rows, bad = rows;
    double most = 0;
#pragma omp parallel for num_threads(threads) schedule(static) reduction(min                  \
                                                                         : bad) reduction(max \
                                                                                          : most)
    for (uint64_t row = 0; row < rows; row++) {
        const float *x = cdp_matrix_row(s->matrix, row, room[cdp_thread()].x);
        double square = cdp_sum(s->sums->dot, x, x, s->matrix->dim);
        if ((!isfinite(square) || (square == 0 && has_direction(s->metric))) && row < bad)
            bad = row;
        s->square[row] = square;
        most = square > most ? square : most;
    }
    if (bad < rows)
        return fail_row(s, bad, room[0].x, err);
    s->unit = most > 0 ? exp2(-ceil(log2(most) / 2)) : 1;
    return has_direction(s->metric) ? 0 : check_distances(s, most, err);
}

// ---- quantizing

// The mean of a sample, or 0 if the sample is nearer to that on average.
static void set_mean(const struct cdp_dataset *s, const struct room *room, double *mean)
{
    size_t dim = s->matrix->dim;
    uint64_t rows = s->matrix->rows, count = rows < MEAN_ROWS ? rows : MEAN_ROWS;
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

// room->v = the vector of a row
static void set_vector(const struct cdp_dataset *s, uint64_t row, const struct room *room,
                       const double *mean)
{
    const float *x = cdp_matrix_row(s->matrix, row, room->x);
    s->quantizer->center(x, s->matrix->dim, unit_of(s, row), mean, room->v);
}

// ---- sketching

// Inserts the scores of a row with others into its `near` best scores, best first.
static void insert_scores(const struct cdp_dataset *s, uint64_t row, const uint32_t *other,
                          uint32_t count, float *best, uint64_t near)
{
    float score[COLUMNS];
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

// Estimates the k-th distance of each query from a sample of the rows.
static void estimate_radius(const struct cdp_dataset *s, const uint64_t *query, size_t queries,
                            uint32_t k, float *radius, int threads)
{
    float best[QUERIES][NEAR];
    uint64_t rows = s->matrix->rows, count = rows < OTHERS ? rows : OTHERS;
    uint64_t near = (k * count + rows - 1) / rows;
    near = near < NEAR ? near : NEAR;
    for (size_t q = 0; q < queries; q++) {
        for (int i = 0; i < NEAR; i++)
            best[q][i] = -INFINITY;
    }
#pragma omp parallel num_threads(threads)
    for (uint64_t from = 0; from < count; from += COLUMNS) {
        // Each thread reads a batch from memory once for all its queries.
        uint32_t other[COLUMNS], here = (uint32_t)(count - from < COLUMNS ? count - from : COLUMNS);
        for (uint32_t i = 0; i < here; i++)
            other[i] = (uint32_t)((from + i) * rows / count);
#pragma omp for schedule(static) nowait
        for (size_t q = 0; q < queries; q++)
            insert_scores(s, query[q], other, here, best[q], near);
    }
    for (size_t q = 0; q < queries; q++)
        radius[q] = sqrtf(fmaxf(0, -2 * best[q][near - 1]));
}

// Learns the sketcher from a random sample of the rows.
static int learn(struct cdp_dataset *s, uint32_t k, bool all_pairs, const struct room *room,
                 const double *mean, int threads, struct cdp_err *err)
{
    uint64_t rows = s->matrix->rows;
    size_t dim = s->matrix->dim, most = LEARN_BYTES / (dim * sizeof(float));
    size_t count = rows / 4 < LEARN_ROWS ? rows / 4 : LEARN_ROWS;
    count = count < most ? count : most;
    count = count > QUERIES ? count : rows < QUERIES ? rows : QUERIES;
    uint64_t *chosen = cdp_alloc(count, sizeof *chosen, "a choice of rows", err);
    float *vectors = cdp_alloc(count, dim * sizeof *vectors, "a choice of rows", err);
    float radius[QUERIES];
    size_t queries = count < QUERIES ? count : QUERIES;
    s->sketcher = cdp_zalloc(1, sizeof *s->sketcher, "directions", err);
    int status = chosen && vectors && s->sketcher ? 0 : -1;
    if (!status) {
        for (size_t i = 0; i < count; i++)
            chosen[i] = cdp_random(SEED, i) % rows;
#pragma omp parallel for num_threads(threads) schedule(static)
        for (size_t i = 0; i < count; i++) {
            const struct room *own = &room[cdp_thread()];
            set_vector(s, chosen[i], own, mean);
            s->quantizer->round12(own->v, dim, vectors + i * dim);
        }
        estimate_radius(s, chosen, queries, k, radius, threads);
        status = cdp_sketcher_new(s->sketcher, vectors, count, dim, radius, queries, all_pairs,
                                  s->kernel, threads, err);
    }
    free(chosen);
    free(vectors);
    return status;
}

static int sketch_rows(struct cdp_dataset *s, const struct room *room, const double *mean,
                       int threads, struct cdp_err *err)
{
    enum { BLOCK = CDP_SKETCH_BLOCK };
    uint64_t rows = s->matrix->rows;
    size_t dim = s->matrix->dim;
    float *vectors = cdp_alloc((size_t)threads, BLOCK * dim * sizeof *vectors, "rows", err);
    if (!vectors)
        return -1;
#pragma omp parallel for num_threads(threads) schedule(static)
    for (uint64_t row = 0; row < rows; row += BLOCK) {
        const struct room *own = &room[cdp_thread()];
        float *vector = vectors + (size_t)cdp_thread() * BLOCK * dim;
        size_t here = rows - row < BLOCK ? rows - row : BLOCK;
        for (size_t i = 0; i < here; i++) {
            set_vector(s, row + i, own, mean);
            s->quantizer->round12(own->v, dim, vector + i * dim);
        }
        cdp_sketch(s->sketcher, vector, here, s->error, own->v, s->sketch + row * s->levels,
                   s->word + row * s->words);
    }
    free(vectors);
    return 0;
}

static int build_vectors(struct cdp_dataset *s, uint32_t k, bool all_pairs, const struct room *room,
                         int threads, struct cdp_err *err)
{
    uint64_t rows = s->matrix->rows;
    double *mean = cdp_alloc(s->matrix->dim, sizeof *mean, "the mean", err);
    if (!mean || cdp_dataset_alloc_bytes(s, rows, err)) {
        free(mean);
        return -1;
    }
    set_mean(s, room, mean);
#pragma omp parallel for num_threads(threads) schedule(static)
    for (uint64_t row = 0; row < rows; row++) {
        const struct room *own = &room[cdp_thread()];
        set_vector(s, row, own, mean);
        cdp_dataset_quantize(s, row, own->v);
    }
    int status = learn(s, k, all_pairs, room, mean, threads, err);
    if (!status) {
        s->words = s->sketcher->words;
        s->levels = s->sketcher->levels;
        status =
            cdp_dataset_alloc_sketches(s, rows, err) || sketch_rows(s, room, mean, threads, err);
    }
    free(mean);
    return status ? -1 : 0;
}

// ---- hamming, l1, linf

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

// See cdp_dataset.error. For hamming and linf, which round at most once, 2^-22 is ample.
static double error_of(enum cdp_metric metric, size_t dim)
{
    double roundings = ((double)dim + 4) * 0x1p-24;
    if (has_product(metric))
        return ((double)dim + 16) * 0x1p-51;
    if (metric == CDP_LINF || metric == CDP_HAMMING)
        return 0x1p-22;
    // Rows so long that there is no bound have all pairs measured.
    return roundings < 0.5 ? roundings / (1 - roundings) + 1e-30 * (double)dim : INFINITY;
}

int cdp_dataset_build(struct cdp_dataset *s, const struct cdp_matrix *matrix,
                      enum cdp_metric metric, uint32_t k, bool all_pairs, int threads,
                      struct cdp_err *err)
{
    *s = (struct cdp_dataset){.matrix = matrix,
                              .kernel = cdp_kernel(),
                              .sums = cdp_sums(),
                              .quantizer = cdp_quantizer(),
                              .metric = metric,
                              .levels = 1,
                              .error = error_of(metric, matrix->dim)};
    s->square = cdp_alloc(matrix->rows, sizeof *s->square, "lengths", err);
    struct room *room = cdp_zalloc((size_t)threads, sizeof *room, "threads", err);
    int status = s->square && room ? 0 : -1;
    for (int t = 0; !status && t < threads; t++) {
        room[t].x = cdp_alloc(matrix->dim, sizeof *room[t].x, "a row", err);
        room[t].v = cdp_alloc(matrix->dim, sizeof *room[t].v, "a row", err);
        status = room[t].x && room[t].v ? 0 : -1;
    }
    if (!status)
        status = check_rows(s, room, threads, err);
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

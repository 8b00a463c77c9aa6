// SPDX-License-Identifier: MIT
#include "knn/data/sketch.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sums.h"

// Timed (README.md); only speed depends on them. Costs are in multiply-adds of a tile.
enum {
    UNIT = CDP_PANEL_COLUMNS, // the number of directions is a multiple of this
    MAX_WIDTH = 128,          // directions
    MIN_VECTORS = 4096,       // that PCA is learned from
    MIN_LEVEL = 8,            // words
    BLOCK = CDP_SKETCH_BLOCK,
    SCORING_COST = 4500, // of the exact score of a pair, gram_error from its numbers
    MORE_PASS = 8, // pairs that pass in a search, where the sample has one: its thresholds are
                   // final k-th distances
};

// By level, rows may skip numbers: cost of one more number that is skipped, relative to a used one.
static const double SKIPPED_COST = 0.05;

static const double LOWER = 0.6; // part of the words that is the lower level

// Relative error of rounding to float32 and then to 12 bits: 2^-24 + 2^-12.
static const double ROUND12_ERROR = 0x1.01p-12;

static double square_of(const struct cdp_sketcher *s, const float *v, size_t dim)
{
    return cdp_sum(s->sums->dot, v, v, dim);
}

// ---- how many directions

// Vectors that pass as neighbours of a query when (i + 1) x UNIT numbers are compared.
struct passed {
    uint64_t by[MAX_WIDTH / UNIT];
};

static void count_passed(struct passed *passed, const float *projected, size_t width,
                         const double *square, size_t count, const float *radius, size_t queries,
                         int threads)
{
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
    for (size_t q = 0; q < queries; q++) {
        const float *x = projected + q * width;
        float limit = radius[q] * radius[q];
        passed[q] = (struct passed){{0}};
        for (size_t c = 0; c < count; c++) {
            const float *y = projected + c * width;
            float distance = 0;
            double tail_x = square[q], tail_y = square[c];
            for (size_t i = 0; i < width / UNIT && c != q; i++) {
                for (size_t d = i * UNIT; d < (i + 1) * UNIT; d++) {
                    distance += (x[d] - y[d]) * (x[d] - y[d]);
                    tail_x -= (double)(x[d] * x[d]);
                    tail_y -= (double)(y[d] * y[d]);
                }
                double tails = sqrt(fmax(tail_x, 0)) - sqrt(fmax(tail_y, 0));
                if (distance + (float)(tails * tails) > limit)
                    break;
                passed[q].by[i]++;
            }
        }
    }
}

double cdp_sketch_cost(double tile, double share, size_t dim)
{
    return tile + share * (double)(SCORING_COST + 2 * dim);
}

// The number of directions with the lowest cost; 0 if all numbers together cost less than that.
static size_t cheapest(const struct passed *passed, size_t queries, size_t width, size_t count,
                       size_t dim, bool by_level)
{
    double best_cost = 0.8 * (double)dim, own[CDP_SKETCH_QUERIES];
    size_t best = 0;
    for (size_t i = 0; i < width / UNIT; i++) {
        size_t numbers = (i + 1) * UNIT;
        double cost = by_level ? SKIPPED_COST * (double)numbers : 0;
        for (size_t q = 0; q < queries; q++) {
            double share = MORE_PASS * (double)passed[q].by[i] / (double)count;
            double here = cdp_sketch_cost((double)numbers, share, dim);
            own[q] = by_level && i > 0 ? fmin(own[q], here) : here;
            cost += own[q] / (double)queries;
        }
        if (cost < best_cost) {
            best_cost = cost;
            best = numbers;
        }
    }
    return best;
}

// Cuts lines of `all` numbers to `width`, the last of which becomes 0 to make room for t.
static void narrow(float *lines, size_t count, size_t width, size_t all)
{
    for (size_t i = 0; i < count && width > 0; i++) {
        memmove(lines + i * width, lines + i * all, width * sizeof *lines);
        lines[(i + 1) * width - 1] = 0;
    }
}

// ---- sketching

// The smallest step for z. The magnitudes of q sum to at most 2^22 (2^21 before rounding, which at
// most doubles them), so that no sum of a tile leaves 32 bits. *square receives z.z.
static double min_step(const struct cdp_sketcher *s, const double *z, size_t numbers,
                       double *square)
{
    double sum = 0;
    for (size_t d = 0; d < numbers; d++)
        sum += fabs(z[d]);
    return fmax(s->quantizer->tile_scale(z, numbers, square), sum * 0x1p-21);
}

// The place of direction d: wide and narrow directions alternate, since the bytes of a pair share
// the limit CDP_DOT_PAIR.
static size_t place_of(size_t d, size_t width)
{
    return d < width / 2 ? 2 * d : 2 * (width - 1 - d) + 1;
}

// z = the numbers of all levels, t less s->tail. Returns the error of t.
static double project(const struct cdp_sketcher *s, const float *vector, double square,
                      const float *projected, double *z)
{
    if (s->width == 0) {
        for (size_t d = 0; d < s->dim; d++)
            z[d] = (double)vector[d];
        return 0;
    }
    double rest = square - square_of(s, projected, s->width) * s->shrink * s->shrink;
    double t = rest > 0 ? sqrt(rest) : 0;
    double rest_error = 3 * s->slack * square + 1e-11 * square;
    for (size_t l = 0, first = 0; l < s->levels; first = 4 * s->level[l++]) {
        size_t width = 4 * s->level[l] - first;
        for (size_t d = 0; d < width; d++) {
            bool is_t = first + d + 1 == s->width;
            z[first + place_of(d, width)] =
                is_t ? t - s->tail : (double)projected[first + d] * s->shrink;
        }
    }
    return fmin(sqrt(rest_error), rest_error / t); // of no t: sqrt
}

static void sketch(const struct cdp_sketcher *s, const float *vector, double error,
                   const float *projected, double *z, struct cdp_sketch *levels, uint32_t *word)
{
    size_t numbers = s->width ? s->width : s->dim;
    double square = square_of(s, vector, s->dim);
    double t_error = project(s, vector, square, projected, z);
    // A vector too long for the step is shortened; the error covers that.
    double z_square, scale = min_step(s, z, numbers, &z_square);
    double part = scale > s->step ? s->step / scale : 1;
    for (size_t d = 0; d < numbers && part < 1; d++)
        z[d] *= part;
    memset(word, 0, s->words * sizeof *word);
    double shared_error =
        (s->slack + ROUND12_ERROR) * sqrt(square) + (1 - part) * sqrt(z_square) + error;
    double residual = 0;
    uint32_t sum = 0;
    for (size_t l = 0, first = 0; l < s->levels; l++) {
        size_t end = l + 1 < s->levels ? 4 * s->level[l] : numbers;
        struct cdp_quantized b =
            s->quantizer->quantize(z + first, end - first, s->step, (int8_t *)word + first);
        first = end;
        sum += (uint32_t)b.sum;
        residual += b.residual;
        double here = shared_error + sqrt(residual) + (l + 1 < s->levels ? 0 : t_error);
        levels[l] = (struct cdp_sketch){
            .square = b.square + (l > 0 ? levels[l - 1].square : 0),
            .start = (int32_t)(0 - 128 * sum), // modulo 2^32, as the products are
            .error = nextafterf((float)(here / s->step * (1 + 1e-9)), INFINITY),
        };
    }
}

void cdp_sketch(const struct cdp_sketcher *s, const float *vectors, size_t count, double error,
                double *room, struct cdp_sketch *sketches, uint32_t *word)
{
    float projected[BLOCK * MAX_WIDTH];
    if (s->width)
        s->kernel->project(vectors, count, s->dim, s->directions, s->width, projected);
    for (size_t i = 0; i < count; i++)
        sketch(s, vectors + i * s->dim, error, projected + i * s->width, room,
               sketches + i * s->levels, word + i * s->words);
}

// ---- learning

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

// The smallest step that suits all vectors but one in 1000.
static int set_step(struct cdp_sketcher *s, const float *vectors, const float *projected,
                    const double *square, size_t count, struct cdp_err *err)
{
    double *scale = cdp_alloc(count, sizeof *scale, "scales", err);
    double *z = cdp_alloc(s->width ? s->width : s->dim, sizeof *z, "scales", err);
    for (size_t i = 0; scale && z && i < count; i++) {
        project(s, vectors + i * s->dim, square[i], projected + i * s->width, z);
        double z_square;
        scale[i] = min_step(s, z, s->width ? s->width : s->dim, &z_square);
    }
    int status = scale && z ? 0 : -1;
    if (!status) {
        qsort(scale, count, sizeof *scale, ascending);
        s->step = scale[count - 1 - count / 1000];
        if (!(s->step > 1e-30))
            s->step = scale[count - 1] > 1e-30 ? scale[count - 1] : 1;
    }
    free(scale);
    free(z);
    return status;
}

static void set_levels(struct cdp_sketcher *s, size_t words)
{
    size_t lower = (size_t)(LOWER * (double)words);
    s->words = words;
    s->levels = 0;
    if (lower >= MIN_LEVEL)
        s->level[s->levels++] = lower;
    s->level[s->levels++] = words;
}

int cdp_sketcher_new(struct cdp_sketcher *s, const float *vectors, size_t count, size_t dim,
                     const float *radius, size_t queries, bool by_level,
                     const struct cdp_kernel *kernel, int threads, struct cdp_err *err)
{
    *s = (struct cdp_sketcher){
        .kernel = kernel, .quantizer = cdp_quantizer(), .sums = cdp_sums(), .dim = dim};
    size_t width = dim / 2 < MAX_WIDTH ? dim / 2 / UNIT * UNIT : MAX_WIDTH;
    width = count < MIN_VECTORS ? 0 : width;
    double *square = cdp_alloc(count, sizeof *square, "directions", err), gram_error = 0, tail = 0;
    float *projected = cdp_alloc(count, (width + 1) * sizeof *projected, "directions", err);
    s->directions = cdp_alloc_aligned(dim, (width + 1) * sizeof *s->directions, "directions", err);
    int status = square && projected && s->directions ? 0 : -1;
    for (size_t i = 0; !status && i < count; i++)
        square[i] = square_of(s, vectors + i * dim, dim);
    if (!status && width) {
        status =
            cdp_pca(s->directions, width, &gram_error, vectors, count, dim, kernel, threads, err);
        if (!status) {
            cdp_pca_project(kernel, vectors, count, dim, s->directions, width, projected, threads);
            struct passed passed[CDP_SKETCH_QUERIES];
            count_passed(passed, projected, width, square, count, radius, queries, threads);
            s->width = cheapest(passed, queries, width, count, dim, by_level);
            narrow(s->directions, dim, s->width, width);
            narrow(projected, count, s->width, width);
        }
    }
    if (!status && s->width == 0) {
        s->words = s->level[0] = (dim + 3) / 4;
        s->levels = 1;
    } else if (!status) {
        double sum = ((double)dim + 3) * 0x1p-24;
        set_levels(s, s->width / 4);
        s->slack = sqrt((double)s->width) * 1.01 * sum / (1 - sum);
        s->shrink = 1 / sqrt(1 + gram_error);
        for (size_t i = 0; i < count; i++)
            tail += sqrt(fmax(0, square[i] - square_of(s, projected + i * s->width, s->width)));
        s->tail = tail / (double)count;
    }
    if (!status)
        status = set_step(s, vectors, projected, square, count, err);
    free(square);
    free(projected);
    return status;
}

void cdp_sketcher_free(struct cdp_sketcher *s)
{
    free(s->directions);
    *s = (struct cdp_sketcher){0};
}

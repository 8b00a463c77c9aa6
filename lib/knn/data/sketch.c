// SPDX-License-Identifier: MIT
#include "knn/data/sketch.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/sums.h"
#include "knn/data/pca.h"
#include "knn/data/quantize.h"

enum {
    UNIT = CDP_PANEL_COLUMNS, // directions are taken by so many
    WIDEST = 128,             // at most
    FEWEST = 4096,            // vectors that are worth learning from
    LEAST = 8,                // words of a level, at least
    BLOCK = CDP_SKETCH_BLOCK,
    SCORING = 4500, // multiply-adds of a tile that are worth a pair's score, of no numbers
    MORE = 8,       // times as many pairs pass as the sample tells
};

// What a number that a row may do without costs, as a part of what one costs that it is compared
// by.
static const double KEPT = 0.05;

// What short numbers, and before them those in single precision, are off by, as a part of a vector.
static const double SHORT = 0x1.01p-12;

static double square_of(const struct cdp_sketcher *s, const float *v, size_t dim)
{
    return cdp_sum(s->sums->dot, v, v, dim);
}

// ---- how many directions

// Pairs of a vector that (i + 1) x UNIT numbers cannot tell from neighbours.
struct passed {
    uint64_t by[WIDEST / UNIT];
};

static void count_passed(struct passed *passed, const float *projected, size_t width,
                         const double *square, size_t count, const float *reach, size_t reaches,
                         int threads)
{
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1)
    for (size_t q = 0; q < reaches; q++) {
        const float *x = projected + q * width;
        float most = reach[q] * reach[q];
        passed[q] = (struct passed){{0}};
        for (size_t c = 0; c < count; c++) {
            const float *y = projected + c * width;
            float apart = 0;
            double tail_x = square[q], tail_y = square[c];
            for (size_t i = 0; i < width / UNIT && c != q; i++) {
                for (size_t d = i * UNIT; d < (i + 1) * UNIT; d++) {
                    apart += (x[d] - y[d]) * (x[d] - y[d]);
                    tail_x -= (double)(x[d] * x[d]);
                    tail_y -= (double)(y[d] * y[d]);
                }
                double tails = sqrt(fmax(tail_x, 0)) - sqrt(fmax(tail_y, 0));
                if (apart + (float)(tails * tails) > most)
                    break;
                passed[q].by[i]++;
            }
        }
    }
}

double cdp_sketch_cost(double tile, double share, size_t dim)
{
    return tile + share * (double)(SCORING + 2 * dim);
}

// The number of directions that makes a search cheapest; 0 where leaving any out does not pay.
static size_t cheapest(const struct passed *passed, size_t reaches, size_t width, size_t count,
                       size_t dim, bool by_level)
{
    double least = 0.8 * (double)dim, own[CDP_SKETCH_REACHES];
    size_t best = 0;
    for (size_t i = 0; i < width / UNIT; i++) {
        size_t numbers = (i + 1) * UNIT;
        double cost = by_level ? KEPT * (double)numbers : 0;
        for (size_t q = 0; q < reaches; q++) {
            double share = MORE * (double)passed[q].by[i] / (double)count;
            double here = cdp_sketch_cost((double)numbers, share, dim);
            own[q] = by_level && i > 0 ? fmin(own[q], here) : here;
            cost += own[q] / (double)reaches;
        }
        if (cost < least) {
            least = cost;
            best = numbers;
        }
    }
    return best;
}

// Keeps the first `width` numbers of lines of `all`, the last of which makes way for t.
static void narrow(float *lines, size_t count, size_t width, size_t all)
{
    for (size_t i = 0; i < count && width > 0; i++) {
        memmove(lines + i * width, lines + i * all, width * sizeof *lines);
        lines[(i + 1) * width - 1] = 0;
    }
}

// ---- sketching

// The least step that z has room for. So that no sum of a tile leaves 32 bits, whatever the number
// of dimensions, bytes are together 2^22 at most, of which rounding may have doubled them.
// *square receives z.z.
static double least_step(const struct cdp_sketcher *s, const double *z, size_t numbers,
                         double *square)
{
    double sum = 0;
    for (size_t d = 0; d < numbers; d++)
        sum += fabs(z[d]);
    return fmax(s->quantizer->scale(z, numbers, square), sum * 0x1p-21);
}

// Number d of `width`: wide directions stand beside narrow ones, since the bytes of a pair share a
// limit.
static size_t beside(size_t d, size_t width)
{
    return d < width / 2 ? 2 * d : 2 * (width - 1 - d) + 1;
}

// The numbers of the levels, but for the last one's t without what is taken off. Returns what that
// may be off by.
static double numbers_of(const struct cdp_sketcher *s, const float *vector, double square,
                         const float *projected, double *z)
{
    if (s->width == 0) {
        for (size_t d = 0; d < s->dim; d++)
            z[d] = (double)vector[d];
        return 0;
    }
    double left = square - square_of(s, projected, s->width) * s->shrink * s->shrink;
    double t = left > 0 ? sqrt(left) : 0;
    double left_off = 3 * s->slack * square + 1e-11 * square;
    for (size_t l = 0, first = 0; l < s->levels; first = 4 * s->level[l++]) {
        size_t width = 4 * s->level[l] - first;
        for (size_t d = 0; d < width; d++) {
            bool is_t = first + d + 1 == s->width;
            z[first + beside(d, width)] =
                is_t ? t - s->tail : (double)projected[first + d] * s->shrink;
        }
    }
    return fmin(sqrt(left_off), left_off / t); // of no t: sqrt
}

static void sketch(const struct cdp_sketcher *s, const float *vector, double error,
                   const float *projected, double *z, struct cdp_sketch *levels, uint32_t *word)
{
    size_t numbers = s->width ? s->width : s->dim;
    double square = square_of(s, vector, s->dim);
    double t_off = numbers_of(s, vector, square, projected, z);
    // What is too long for the step is shortened.
    double z_square, scale = least_step(s, z, numbers, &z_square);
    double part = scale > s->step ? s->step / scale : 1;
    for (size_t d = 0; d < numbers && part < 1; d++)
        z[d] *= part;
    memset(word, 0, s->words * sizeof *word);
    double off = (s->slack + SHORT) * sqrt(square) + (1 - part) * sqrt(z_square) + error;
    double residual = 0;
    uint32_t sum = 0;
    for (size_t l = 0, first = 0; l < s->levels; l++) {
        size_t end = l + 1 < s->levels ? 4 * s->level[l] : numbers;
        struct cdp_quantized b =
            s->quantizer->round(z + first, end - first, s->step, (int8_t *)word + first);
        first = end;
        sum += (uint32_t)b.sum;
        residual += b.residual;
        double here = off + sqrt(residual) + (l + 1 < s->levels ? 0 : t_off);
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
    float projected[BLOCK * WIDEST];
    if (s->width)
        s->kernel->project(vectors, count, s->dim, s->directions, s->width, projected);
    for (size_t i = 0; i < count; i++)
        sketch(s, vectors + i * s->dim, error, projected + i * s->width, room,
               sketches + i * s->levels, word + i * s->words);
}

// ---- learning

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

// A step that all but one in a thousand vectors have room for.
static int set_step(struct cdp_sketcher *s, const float *vectors, const float *projected,
                    const double *square, size_t count, struct cdp_err *err)
{
    double *scale = cdp_alloc(count, sizeof *scale, "scales", err);
    double *z = cdp_alloc(s->width ? s->width : s->dim, sizeof *z, "scales", err);
    for (size_t i = 0; scale && z && i < count; i++) {
        numbers_of(s, vectors + i * s->dim, square[i], projected + i * s->width, z);
        double z_square;
        scale[i] = least_step(s, z, s->width ? s->width : s->dim, &z_square);
    }
    int status = scale && z ? 0 : -1;
    if (!status) {
        qsort(scale, count, sizeof *scale, by_size);
        s->step = scale[count - 1 - count / 1000];
        if (!(s->step > 1e-30))
            s->step = scale[count - 1] > 1e-30 ? scale[count - 1] : 1;
    }
    free(scale);
    free(z);
    return status;
}

static void set_levels(struct cdp_sketcher *s, size_t words, bool by_level)
{
    static const double part[2][CDP_SKETCH_LEVELS] = {{0.6}, {0.375, 0.5, 0.75}};
    s->words = words;
    s->levels = 0;
    for (size_t l = 0; l < CDP_SKETCH_LEVELS; l++) {
        size_t some = (size_t)(part[by_level][l] * (double)words);
        if (some >= LEAST)
            s->level[s->levels++] = some;
    }
    s->level[s->levels++] = words;
}

int cdp_sketcher_new(struct cdp_sketcher *s, const float *vectors, size_t count, size_t dim,
                     const float *reach, size_t reaches, bool by_level,
                     const struct cdp_kernel *kernel, int threads, struct cdp_err *err)
{
    *s = (struct cdp_sketcher){
        .kernel = kernel, .quantizer = cdp_quantizer(), .sums = cdp_sums(), .dim = dim};
    size_t width = dim / 2 < WIDEST ? dim / 2 / UNIT * UNIT : WIDEST;
    width = count < FEWEST ? 0 : width;
    double *square = cdp_alloc(count, sizeof *square, "directions", err), apart = 0, tail = 0;
    float *projected = cdp_alloc(count, (width + 1) * sizeof *projected, "directions", err);
    s->directions = cdp_alloc_aligned(dim, (width + 1) * sizeof *s->directions, "directions", err);
    int status = square && projected && s->directions ? 0 : -1;
    for (size_t i = 0; !status && i < count; i++)
        square[i] = square_of(s, vectors + i * dim, dim);
    if (!status && width) {
        status = cdp_pca(s->directions, width, &apart, vectors, count, dim, kernel, threads, err);
        if (!status) {
            cdp_pca_project(kernel, vectors, count, dim, s->directions, width, projected, threads);
            struct passed passed[CDP_SKETCH_REACHES];
            count_passed(passed, projected, width, square, count, reach, reaches, threads);
            s->width = cheapest(passed, reaches, width, count, dim, by_level);
            narrow(s->directions, dim, s->width, width);
            narrow(projected, count, s->width, width);
        }
    }
    if (!status && s->width == 0) {
        s->words = s->level[0] = (dim + 3) / 4;
        s->levels = 1;
    } else if (!status) {
        double sum = ((double)dim + 3) * 0x1p-24;
        set_levels(s, s->width / 4, by_level);
        s->slack = sqrt((double)s->width) * 1.01 * sum / (1 - sum);
        s->shrink = 1 / sqrt(1 + apart);
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

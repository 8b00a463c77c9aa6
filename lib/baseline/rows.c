// SPDX-License-Identifier: MIT
#include "baseline/rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/isa.h"
#include "base/mem.h"
#include "base/sums.h"
#include "base/threads.h"
#include "base/vectors.h"

const float *cdp_rows_at(const struct cdp_rows *rows, uint64_t row)
{
    if (rows->copy)
        return rows->copy + row * rows->dim;
    return (const float *)(const void *)cdp_matrix_at(rows->matrix, row);
}

int cdp_rows_finite(const char *file, uint64_t row, const float *x, size_t dim, struct cdp_err *err)
{
    for (size_t d = 0; d < dim; d++) {
        if (!isfinite(x[d]))
            return cdp_fail(err, "%s: row %llu: number %zu is %g; finite numbers are wanted", file,
                            (unsigned long long)row, d, (double)x[d]);
    }
    return 0;
}

static int fail_row(const struct cdp_rows *rows, uint64_t row, struct cdp_err *err)
{
    const char *file = rows->matrix->name;
    if (cdp_rows_finite(file, row, cdp_rows_at(rows, row), rows->dim, err))
        return -1;
    return cdp_fail(err, "%s: row %llu: all zeros, so it has no direction: remove it", file,
                    (unsigned long long)row);
}

static int prepare(struct cdp_rows *rows, int threads, struct cdp_err *err)
{
    uint64_t bad = rows->count;
    const struct cdp_sums *sums = cdp_sums();
#pragma omp parallel for num_threads(threads) schedule(static) reduction(min : bad)
    for (uint64_t row = 0; row < rows->count; row++) {
        if (rows->copy)
            cdp_matrix_row_f32(rows->matrix, row, rows->copy + row * rows->dim);
        const float *x = cdp_rows_at(rows, row);
        double square = cdp_sum(sums->dot, x, x, rows->dim);
        rows->inverse[row] = 1 / sqrt(square);
        if ((!isfinite(square) || square == 0) && row < bad)
            bad = row;
    }
    return bad < rows->count ? fail_row(rows, bad, err) : 0;
}

int cdp_rows_new(struct cdp_rows *rows, const struct cdp_matrix *matrix, int threads,
                 struct cdp_err *err)
{
    *rows = (struct cdp_rows){.matrix = matrix, .count = matrix->rows, .dim = matrix->dim};
    if (matrix->rows > CDP_MOST_ROWS)
        return cdp_fail(err, "%s: %llu rows; at most 2^32 - 4096 can be clustered", matrix->name,
                        (unsigned long long)matrix->rows);
    rows->inverse = cdp_alloc(rows->count, sizeof *rows->inverse, "lengths of rows", err);
    if (rows->inverse && !cdp_matrix_plain(matrix))
        rows->copy = cdp_alloc(rows->count, rows->dim * sizeof *rows->copy, "rows", err);
    if (!rows->inverse || (!cdp_matrix_plain(matrix) && !rows->copy) ||
        prepare(rows, cdp_threads(threads), err)) {
        cdp_rows_free(rows);
        return -1;
    }
    return 0;
}

void cdp_rows_free(struct cdp_rows *rows)
{
    free(rows->copy);
    free(rows->inverse);
    *rows = (struct cdp_rows){0};
}

void cdp_rows_unit(const struct cdp_rows *rows, uint64_t row, double *out)
{
    const float *x = cdp_rows_at(rows, row);
    for (size_t d = 0; d < rows->dim; d++)
        out[d] = (double)x[d] * rows->inverse[row];
}

// ---- distances

// Rows of one direction differ by the rounding of their lengths and numbers, at most a few 2^-50.
static const double PARALLEL = 0x1p-96;

typedef float floats4 __attribute__((vector_size(16)));

CDP_INLINE cdp_doubles scaled(const float *at, double by)
{
    floats4 v;
    memcpy(&v, at, sizeof v);
    return __builtin_convertvector(v, cdp_doubles) * by;
}

CDP_INLINE cdp_doubles term(const float *x, const float *y, double by_x, double by_y)
{
    cdp_doubles apart = scaled(x, by_x) - scaled(y, by_y);
    return apart * apart;
}

// Eight partial sums, added pairwise at the end; numbers beyond the end count as 0.
CDP_INLINE double square_of(const float *x, const float *y, double by_x, double by_y, size_t dim)
{
    cdp_doubles low = {0}, high = {0};
    size_t d = 0;
    for (; d + 8 <= dim; d += 8) {
        low += term(x + d, y + d, by_x, by_y);
        high += term(x + d + 4, y + d + 4, by_x, by_y);
    }
    if (d < dim) {
        float a[8] = {0}, b[8] = {0};
        memcpy(a, x + d, (dim - d) * sizeof *a);
        memcpy(b, y + d, (dim - d) * sizeof *b);
        low += term(a, b, by_x, by_y);
        high += term(a + 4, b + 4, by_x, by_y);
    }
    low += high;
    double square = (low[0] + low[2]) + (low[1] + low[3]);
    return square < PARALLEL ? 0 : square;
}

#define SQUARES(isa, attribute)                                                              \
    attribute static void squares_##isa(const struct cdp_rows *rows, uint64_t row,           \
                                        const uint32_t *other, size_t count, double *square) \
    {                                                                                        \
        const float *x = cdp_rows_at(rows, row);                                             \
        for (size_t i = 0; i < count; i++) {                                                 \
            if (i + 1 < count)                                                               \
                cdp_fetch(cdp_rows_at(rows, other[i + 1]), rows->dim * sizeof *x);           \
            square[i] = square_of(x, cdp_rows_at(rows, other[i]), rows->inverse[row],        \
                                  rows->inverse[other[i]], rows->dim);                       \
        }                                                                                    \
    }

SQUARES(plain, )
#ifdef __x86_64__
SQUARES(avx2, __attribute__((target("avx2"))))
#endif

void cdp_rows_squares(const struct cdp_rows *rows, uint64_t row, const uint32_t *other,
                      size_t count, double *square)
{
#ifdef __x86_64__
    if (cdp_isa() >= CDP_ISA_AVX2) {
        squares_avx2(rows, row, other, count, square);
        return;
    }
#endif
    squares_plain(rows, row, other, count, square);
}

double cdp_rows_square(const struct cdp_rows *rows, uint64_t i, uint64_t j)
{
    uint32_t other = (uint32_t)j;
    double square;
    cdp_rows_squares(rows, i, &other, 1, &square);
    return square;
}

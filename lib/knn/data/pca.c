// SPDX-License-Identifier: MIT
#include "knn/data/sketch.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/random.h"

enum {
    ITERATIONS = 3,    // of orthogonal iteration; only speed depends on it, see tests/unit/sketch.c
    JACOBI_PASSES = 3, // of plane rotations
    SEED = 1,
    BATCH = 16,  // rows that are projected together
    PADDING = 8, // numbers after each line of a square matrix, so its columns share no cache set
};

void cdp_pca_project(const struct cdp_kernel *kernel, const float *rows, size_t count, size_t dim,
                     const float *directions, size_t width, float *out, int threads)
{
#pragma omp parallel for num_threads(threads) schedule(static)
    for (size_t r = 0; r < count; r += BATCH) {
        size_t here = count - r < BATCH ? count - r : BATCH;
        kernel->project(rows + r * dim, here, dim, directions, width, out + r * width);
    }
}

// directions = RtR directions, with R the rows and `transposed` Rt.
static void multiply(const struct cdp_kernel *kernel, const float *rows, const float *transposed,
                     size_t count, size_t dim, float *directions, size_t width, float *projected,
                     int threads)
{
    cdp_pca_project(kernel, rows, count, dim, directions, width, projected, threads);
    for (size_t at = 0; at < count * width; at++)
        projected[at] = cdp_round12((double)projected[at]);
    cdp_pca_project(kernel, transposed, dim, count, projected, width, directions, threads);
}

// Modified Gram-Schmidt of the columns; done twice, it reaches full precision. A column that lies
// in the span of those before it, except for rounding, becomes 0.
static void orthonormalize(double *q, size_t dim, size_t width, double *product, double *before)
{
    memset(before, 0, width * sizeof *before);
    for (size_t d = 0; d < dim; d++) {
        for (size_t j = 0; j < width; j++)
            before[j] += q[d * width + j] * q[d * width + j];
    }
    for (size_t i = 0; i < width; i++) {
        double square = 0;
        for (size_t d = 0; d < dim; d++)
            square += q[d * width + i] * q[d * width + i];
        double scale = square > 1e-20 * before[i] ? 1 / sqrt(square) : 0;
        memset(product, 0, width * sizeof *product);
        for (size_t d = 0; d < dim; d++) {
            double x = q[d * width + i] *= scale;
            for (size_t j = i + 1; j < width; j++)
                product[j] += x * q[d * width + j];
        }
        for (size_t d = 0; d < dim; d++) {
            double x = q[d * width + i];
            for (size_t j = i + 1; j < width; j++)
                q[d * width + j] -= x * product[j];
        }
    }
}

// The Frobenius norm of PtP - I, without columns that are 0.
static double slack_of(const float *p, size_t dim, size_t width, double *product)
{
    double sum = 0;
    for (size_t i = 0; i < width; i++) {
        memset(product, 0, width * sizeof *product);
        for (size_t d = 0; d < dim; d++) {
            for (size_t j = 0; j < width; j++)
                product[j] += (double)p[d * width + i] * (double)p[d * width + j];
        }
        product[i] -= product[i] > 0;
        for (size_t j = 0; j < width; j++)
            sum += product[j] * product[j];
    }
    return sqrt(sum);
}

static void transpose(double *out, const double *q, size_t dim, size_t width)
{
    for (size_t d = 0; d < dim; d++) {
        for (size_t j = 0; j < width; j++)
            out[j * dim + d] = q[d * width + j];
    }
}

static void rotate(double *x, double *y, size_t count, size_t stride, double cosine, double sine)
{
    for (size_t i = 0; i < count * stride; i += stride) {
        double a = x[i], b = y[i];
        x[i] = cosine * a - sine * b;
        y[i] = sine * a + cosine * b;
    }
}

// Rotates the directions, the lines of q, to the eigenvectors of `products` = q RtR qt (Rayleigh-
// Ritz) by Jacobi rotations (Golub and Van Loan, Matrix Computations, section 8.5). The diagonal of
// `products`, whose lines have `width` + PADDING numbers, becomes the variances.
static void diagonalize(double *q, double *products, size_t dim, size_t width)
{
    size_t line = width + PADDING;
    for (int pass = 0; pass < JACOBI_PASSES; pass++) {
        for (size_t i = 0; i + 1 < width; i++) {
            for (size_t j = i + 1; j < width; j++) {
                double ii = products[i * line + i], jj = products[j * line + j];
                double ij = products[i * line + j];
                if (ij * ij <= 1e-12 * ii * jj)
                    continue;
                double tau = (jj - ii) / (2 * ij);
                double tangent = copysign(1, tau) / (fabs(tau) + sqrt(1 + tau * tau));
                double cosine = 1 / sqrt(1 + tangent * tangent), sine = tangent * cosine;
                rotate(products + i * line, products + j * line, width, 1, cosine, sine);
                rotate(products + i, products + j, width, line, cosine, sine);
                rotate(q + i * dim, q + j * dim, dim, 1, cosine, sine);
            }
        }
    }
}

// The order of the directions by variance, largest first.
static void order_of(uint32_t *order, const double *products, size_t width)
{
    size_t next = width + PADDING + 1; // on the diagonal
    for (size_t j = 0; j < width; j++) {
        double variance = products[j * next];
        size_t at = j;
        for (; at > 0 && products[order[at - 1] * next] < variance; at--)
            order[at] = order[at - 1];
        order[at] = (uint32_t)j;
    }
}

int cdp_pca(float *directions, size_t width, double *slack, const float *rows, size_t count,
            size_t dim, const struct cdp_kernel *kernel, int threads, struct cdp_err *err)
{
    double *q = cdp_alloc(dim, width * sizeof *q, "directions", err);
    double *product = cdp_alloc(width, sizeof *product, "directions", err);
    double *before = cdp_alloc(width, sizeof *before, "directions", err);
    double *lines = cdp_alloc(width, dim * sizeof *lines, "directions", err);
    double *products = cdp_zalloc(width, (width + PADDING) * sizeof *products, "directions", err);
    float *transposed = cdp_alloc(dim, count * sizeof *transposed, "directions", err);
    float *projected = cdp_alloc_aligned(count, width * sizeof *projected, "directions", err);
    float *next = cdp_alloc_aligned(dim, width * sizeof *next, "directions", err);
    uint32_t *order = cdp_alloc(width, sizeof *order, "directions", err);
    bool whole = q && product && before && lines && products && transposed && projected && next;
    int status = whole && order ? 0 : -1;
    if (status)
        goto end;
#pragma omp parallel for num_threads(threads) schedule(static)
    for (size_t r = 0; r < count; r += BATCH) {
        for (size_t d = 0; d < dim; d++) {
            for (size_t i = r; i < r + BATCH && i < count; i++)
                transposed[d * count + i] = rows[i * dim + d];
        }
    }
    for (size_t i = 0; i < dim * width; i++)
        next[i] = cdp_round12((double)cdp_random(SEED, i) * 0x1p-63 - 1);
    for (int i = 0; i < ITERATIONS; i++) {
        multiply(kernel, rows, transposed, count, dim, next, width, projected, threads);
        for (size_t at = 0; at < dim * width; at++)
            q[at] = (double)next[at];
        orthonormalize(q, dim, width, product, before);
        if (i + 1 == ITERATIONS)
            orthonormalize(q, dim, width, product, before);
        for (size_t at = 0; at < dim * width; at++)
            next[at] = cdp_round12(q[at]);
    }
    multiply(kernel, rows, transposed, count, dim, next, width, projected, threads);
    for (size_t d = 0; d < dim; d++) {
        for (size_t i = 0; i < width; i++) {
            for (size_t j = 0; j < width; j++)
                products[i * (width + PADDING) + j] +=
                    q[d * width + i] * (double)next[d * width + j];
        }
    }
    transpose(lines, q, dim, width);
    diagonalize(lines, products, dim, width);
    order_of(order, products, width);
    for (size_t d = 0; d < dim; d++) {
        for (size_t j = 0; j < width; j++)
            directions[d * width + j] = cdp_round12(lines[order[j] * dim + d]);
    }
    *slack = slack_of(directions, dim, width, product);
end:
    free(q);
    free(product);
    free(before);
    free(lines);
    free(products);
    free(transposed);
    free(projected);
    free(next);
    free(order);
    return status;
}

// SPDX-License-Identifier: MIT
#include "baseline/discretize.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "tap.h"

// What baseline/discretize.h promises: clusters and their rotation do not change in a further round
// of all products, and are the same for any number of threads.

enum { ROWS = 3000, K = 40, STRIDE = 43 };

static double number(uint64_t stream, uint64_t index)
{
    return (double)(int64_t)cdp_random(stream, index) * 0x1p-63;
}

// Rows near one of K axes, most of them, and then those of an own random direction.
static void fill(double *row, double *root, double noise)
{
    for (size_t i = 0; i < ROWS; i++) {
        root[i] = 1 + fabs(number(1, i));
        for (size_t d = 0; d < STRIDE; d++)
            row[i * STRIDE + d] =
                (d == i % K && i % 7 > 0 ? 1 : 0) + noise * number(2, i * STRIDE + d);
    }
}

// matrix := its factor of the polar decomposition, by Newton-Schulz steps.
static void polar(double *matrix)
{
    static double square[K * K], next[K * K];
    double length = 0;
    for (size_t i = 0; i < K * K; i++)
        length += matrix[i] * matrix[i];
    for (size_t i = 0; i < K * K; i++)
        matrix[i] /= sqrt(length);
    for (int step = 0; step < 60; step++) {
        memset(square, 0, sizeof square);
        for (size_t r = 0; r < K; r++) {
            for (size_t i = 0; i < K; i++) {
                for (size_t j = 0; j < K; j++)
                    square[i * K + j] += matrix[r * K + i] * matrix[r * K + j];
            }
        }
        for (size_t i = 0; i < K; i++) {
            for (size_t j = 0; j < K; j++) {
                next[i * K + j] = 1.5 * matrix[i * K + j];
                for (size_t d = 0; d < K; d++)
                    next[i * K + j] -= 0.5 * matrix[i * K + d] * square[d * K + j];
            }
        }
        memcpy(matrix, next, sizeof next);
    }
}

// Rows whose cluster is not that of the largest product with the rotation of all clusters.
static size_t wrong_rows(const double *row, const uint32_t *label)
{
    static double rotation[K * K];
    size_t wrong = 0;
    memset(rotation, 0, sizeof rotation);
    for (size_t i = 0; i < ROWS; i++) {
        for (size_t d = 0; d < K; d++)
            rotation[label[i] * K + d] += row[i * STRIDE + d];
    }
    polar(rotation);
    for (size_t i = 0; i < ROWS; i++) {
        double own = 0, most = -INFINITY;
        for (size_t c = 0; c < K; c++) {
            double product = 0;
            for (size_t d = 0; d < K; d++)
                product += row[i * STRIDE + d] * rotation[c * K + d];
            own = c == label[i] ? product : own;
            most = fmax(most, product);
        }
        wrong += own < most - 1e-9;
    }
    return wrong;
}

int main(void)
{
    double *row = malloc(sizeof *row * ROWS * STRIDE), *root = malloc(sizeof *root * ROWS);
    static uint32_t label[2][ROWS];
    struct cdp_err err;
    for (int noisy = 0; noisy < 3; noisy++) {
        for (int threads = 1; threads < 4; threads += 2) {
            fill(row, root, 0.1 * (1 + noisy));
            ok(!cdp_discretize(row, root, ROWS, K, STRIDE, CDP_ASSIGN_DISCRETIZE,
                               label[threads > 1], threads, NULL, &err),
               "noise %d, %d threads", noisy, threads);
        }
        ok(memcmp(label[0], label[1], sizeof label[0]) == 0, "the same for 3 threads");
        size_t wrong = wrong_rows(row, label[0]);
        ok(wrong == 0, "%zu rows change in a further round", wrong);
    }
    free(row);
    free(root);
    return done();
}

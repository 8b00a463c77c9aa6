// SPDX-License-Identifier: MIT
#include "knn/exact.h"

#include <math.h>

// Eight sums side by side, added pairwise at the end: an order that vector units of any width
// share.
enum { LANES = 8 };

static double total(const double sum[LANES])
{
    return ((sum[0] + sum[4]) + (sum[2] + sum[6])) + ((sum[1] + sum[5]) + (sum[3] + sum[7]));
}

// Defines a function that sums `term`, of the doubles a and b, over two rows.
#define DEFINE_SUM(name, term)                                                           \
    static double name(const float *x, const float *y, size_t dim)                       \
    {                                                                                    \
        double sum[LANES] = {0};                                                         \
        size_t d = 0;                                                                    \
        for (; d + LANES <= dim; d += LANES) {                                           \
            for (int lane = 0; lane < LANES; lane++) {                                   \
                double a = (double)x[d + (size_t)lane], b = (double)y[d + (size_t)lane]; \
                sum[lane] += (term);                                                     \
            }                                                                            \
        }                                                                                \
        for (int lane = 0; d < dim; d++, lane++) {                                       \
            double a = (double)x[d], b = (double)y[d];                                   \
            sum[lane] += (term);                                                         \
        }                                                                                \
        return total(sum);                                                               \
    }

DEFINE_SUM(products, a *b)
DEFINE_SUM(squares, (a - b) * (a - b))
DEFINE_SUM(magnitudes, fabs(a - b))

static double largest(const float *x, const float *y, size_t dim)
{
    double most = 0;
    for (size_t d = 0; d < dim; d++) {
        double apart = fabs((double)x[d] - (double)y[d]);
        most = apart > most ? apart : most;
    }
    return most;
}

double cdp_exact_dot(const float *x, const float *y, size_t dim)
{
    return products(x, y, dim);
}

double cdp_exact_key(enum cdp_metric metric, const float *x, const float *y, size_t dim, double xx,
                     double yy)
{
    switch (metric) {
    case CDP_L2:
        return squares(x, y, dim);
    case CDP_L1:
        return magnitudes(x, y, dim);
    case CDP_LINF:
        return largest(x, y, dim);
    case CDP_COSINE:
    case CDP_ANGULAR:
    case CDP_HAMMING:
    case CDP_METRIC_NONE:
        break;
    }
    // Of equal rows the product of the squares is a square, whose root is exact: the cosine is 1.
    double cosine = products(x, y, dim) / sqrt(xx * yy);
    return -(cosine > 1 ? 1 : cosine < -1 ? -1 : cosine);
}

double cdp_exact_distance(enum cdp_metric metric, double key)
{
    switch (metric) {
    case CDP_COSINE:
        return 1 + key;
    case CDP_ANGULAR:
        return acos(-key);
    case CDP_L2:
        return sqrt(key);
    case CDP_L1:
    case CDP_LINF:
    case CDP_HAMMING:
    case CDP_METRIC_NONE:
        break;
    }
    return key;
}

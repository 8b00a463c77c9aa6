// SPDX-License-Identifier: MIT
#include "knn/bytes.h"

#include <math.h>

#include "knn/kernel.h"

enum { SUMS = 4 };

static double total(const double sum[SUMS])
{
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

double cdp_bytes_square(const double *v, size_t dim)
{
    double sum[SUMS] = {0};
    size_t d = 0;
    for (; d + SUMS <= dim; d += SUMS) {
        for (size_t i = 0; i < SUMS; i++)
            sum[i] += v[d + i] * v[d + i];
    }
    for (; d < dim; d++)
        sum[0] += v[d] * v[d];
    return total(sum);
}

double cdp_bytes_scale(const double *v, size_t dim)
{
    double most = 0, longest = 0, all = 0;
    for (size_t from = 0; from < dim; from += 4 * CDP_DOT_CHUNK) {
        size_t end = dim - from < 4 * CDP_DOT_CHUNK ? dim : from + 4 * CDP_DOT_CHUNK;
        double chunk[SUMS] = {0};
        for (size_t d = from; d < end; d += 2) {
            double a = fabs(v[d]), b = d + 1 < end ? fabs(v[d + 1]) : 0;
            most = a + b > most ? a + b : most;
            chunk[d / 2 % SUMS] += a * a + b * b;
        }
        double even = chunk[0] + chunk[2], odd = chunk[1] + chunk[3];
        longest = fmax(longest, fmax(even, odd));
        all += even + odd;
    }
    double part = sqrt(longest) / (CDP_DOT_LENGTH - sqrt(2 * CDP_DOT_CHUNK) / 2);
    double whole = sqrt(all) / (CDP_DOT_WHOLE - sqrt((double)dim) / 2);
    return fmax(most / (CDP_DOT_PAIR - 1), fmax(part, whole)) * (1 + 1e-6);
}

struct cdp_bytes cdp_bytes_round(const double *v, size_t dim, double scale, int8_t *q)
{
    struct cdp_bytes bytes = {0};
    double inverse = 1 / scale, residual[SUMS] = {0};
    for (size_t d = 0; d < dim; d++) {
        // Adding and taking away 1.5 x 2^52 rounds to an integer.
        double rounded = v[d] * inverse + 0x1.8p52 - 0x1.8p52;
        q[d] = (int8_t)rounded;
        bytes.sum += q[d];
        bytes.square += q[d] * q[d];
        double e = v[d] - scale * rounded;
        residual[d % SUMS] += e * e;
    }
    bytes.residual = total(residual);
    return bytes;
}

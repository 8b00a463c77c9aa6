// SPDX-License-Identifier: MIT
#ifndef CDP_BYTES_H
#define CDP_BYTES_H

#include <stddef.h>
#include <stdint.h>

// Vectors as signed bytes that keep the limits of kernel.h: v = scale q + e.

// v.v, in four sums, which do not wait for one another.
double cdp_bytes_square(const double *v, size_t dim);

struct cdp_bytes {
    int32_t sum;     // of the bytes
    int32_t square;  // q.q
    double residual; // e.e
};

// The least scale with which the bytes of v keep the limits, rounding included.
double cdp_bytes_scale(const double *v, size_t dim);

// Rounds v to q, with a scale that is not below the least.
struct cdp_bytes cdp_bytes_round(const double *v, size_t dim, double scale, int8_t *q);

#endif

// SPDX-License-Identifier: MIT
#ifndef CDP_KNN_QUANTIZE_H
#define CDP_KNN_QUANTIZE_H

#include <stddef.h>
#include <stdint.h>

// Vectors as signed bytes: v = scale q + e.
struct cdp_quantized {
    int32_t sum;     // of the bytes
    int32_t square;  // q.q
    double residual; // e.e
};

// The same bits from every instruction set.
struct cdp_quantizer {
    // The least scale with which the bytes of v keep all limits of kernel.h, rounding included; and
    // that of the whole item alone, which is all that pairs need. *square receives v.v.
    double (*scale)(const double *v, size_t dim, double *square);
    double (*finest)(const double *v, size_t dim, double *square);
    // Rounds v to q, with a scale that is not below the least of these.
    struct cdp_quantized (*round)(const double *v, size_t dim, double scale, int8_t *q);
    // Adds scale q to v.
    void (*add)(double *v, size_t dim, double scale, const int8_t *q);
    // Makes v = unit x - origin.
    void (*place)(const float *x, size_t dim, double unit, const double *origin, double *v);
    // Makes v a vector of short numbers (kernel.h), as all that are learned from or sketched are.
    void (*shorten)(const double *v, size_t dim, float *vector);
};

// The functions of the instruction set that cdp_isa() names. Thread-safe.
const struct cdp_quantizer *cdp_quantizer(void);

#endif

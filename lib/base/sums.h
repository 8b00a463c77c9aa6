// SPDX-License-Identifier: MIT
#ifndef CDP_SUMS_H
#define CDP_SUMS_H

#include <stddef.h>

// sum[i] = a sum over the float32 numbers of rows x[i] and y[i], in double precision and a fixed
// order: the same bits from every instruction set and for any other pairs in the call. Any
// alignment.
typedef void cdp_sum_function(const float *const *x, const float *const *y, size_t count,
                              size_t dim, double *sum);

struct cdp_sums {
    cdp_sum_function *dot;      // sum x y
    cdp_sum_function *square;   // sum (x - y)^2
    cdp_sum_function *absolute; // sum |x - y|
    cdp_sum_function *largest;  // max |x - y|
};

// One sum.
static inline double cdp_sum(cdp_sum_function *function, const float *x, const float *y, size_t dim)
{
    double sum;
    function(&x, &y, 1, dim, &sum);
    return sum;
}

// The functions of the instruction set that cdp_isa() names. Thread-safe.
const struct cdp_sums *cdp_sums(void);

#endif

// SPDX-License-Identifier: MIT
#ifndef CDP_SUMS_H
#define CDP_SUMS_H

#include <stddef.h>

// A sum over two rows of float32 numbers, in double precision and in a fixed order: the same bits
// from every instruction set. Any alignment.
typedef double cdp_sum_function(const float *x, const float *y, size_t dim);

struct cdp_sums {
    cdp_sum_function *dot;      // sum x y
    cdp_sum_function *square;   // sum (x - y)^2
    cdp_sum_function *absolute; // sum |x - y|
    cdp_sum_function *largest;  // max |x - y|
};

// The functions of the instruction set that cdp_isa() names. Thread-safe.
const struct cdp_sums *cdp_sums(void);

#endif

// SPDX-License-Identifier: MIT
#ifndef CDP_DOUBLES_H
#define CDP_DOUBLES_H

#include <stdint.h>

// A vector of four doubles (the compiler's vector extension), for functions that are written once
// and compiled for several instruction sets. Only for inlined functions: how vectors are passed
// depends on the instruction set.
typedef double cdp_doubles __attribute__((vector_size(32)));
typedef int64_t cdp_longs __attribute__((vector_size(32)));

// The larger of each pair of elements; that of b if they are unordered (NaN).
static inline __attribute__((always_inline)) cdp_doubles cdp_larger(cdp_doubles a, cdp_doubles b)
{
    cdp_longs more = a > b;
    return (cdp_doubles)((more & (cdp_longs)a) | (~more & (cdp_longs)b));
}

#endif

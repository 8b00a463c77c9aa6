// SPDX-License-Identifier: MIT
#ifndef CDP_DOUBLES_H
#define CDP_DOUBLES_H

#include <stdint.h>

// Four double-precision numbers side by side, as the compiler's vectors, for functions that are
// written once and compiled for several instruction sets. Only for inlined functions, since the set
// decides how vectors are passed.
typedef double cdp_doubles __attribute__((vector_size(32)));
typedef int64_t cdp_longs __attribute__((vector_size(32)));

// The larger of each two; b's where they do not compare.
static inline __attribute__((always_inline)) cdp_doubles cdp_larger(cdp_doubles a, cdp_doubles b)
{
    cdp_longs more = a > b;
    return (cdp_doubles)((more & (cdp_longs)a) | (~more & (cdp_longs)b));
}

#endif

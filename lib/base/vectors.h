// SPDX-License-Identifier: MIT
#ifndef CDP_VECTORS_H
#define CDP_VECTORS_H

#include <stdint.h>
#include <string.h>

// Numbers side by side, as the compiler's vectors, for functions that are written once and compiled
// for several instruction sets. Only for inlined functions, since the set decides how vectors are
// passed.
#define CDP_INLINE static inline __attribute__((always_inline))

typedef double cdp_doubles __attribute__((vector_size(32)));
typedef int64_t cdp_longs __attribute__((vector_size(32)));

// Of as many bytes as a register: gcc keeps larger vectors in memory.
#ifdef __x86_64__
#define CDP_VECTOR 32
#else
#define CDP_VECTOR 16
#endif
typedef float cdp_floats __attribute__((vector_size(CDP_VECTOR)));
typedef int32_t cdp_ints __attribute__((vector_size(CDP_VECTOR)));

enum { CDP_LANES = CDP_VECTOR / sizeof(float) }; // floats of a vector

// From and to memory of any alignment.
CDP_INLINE cdp_floats cdp_floats_load(const void *at)
{
    cdp_floats v;
    memcpy(&v, at, sizeof v);
    return v;
}

CDP_INLINE void cdp_floats_store(float *at, cdp_floats v)
{
    memcpy(at, &v, sizeof v);
}

// The larger of each two; b's where they do not compare.
CDP_INLINE cdp_doubles cdp_larger(cdp_doubles a, cdp_doubles b)
{
    cdp_longs more = a > b;
    return (cdp_doubles)((more & (cdp_longs)a) | (~more & (cdp_longs)b));
}

#endif

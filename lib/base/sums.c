// SPDX-License-Identifier: MIT
#include "base/sums.h"

#include <stdint.h>
#include <string.h>

#include "base/isa.h"

#define INLINE static inline __attribute__((always_inline))

typedef double doubles __attribute__((vector_size(32)));
typedef int64_t longs __attribute__((vector_size(32)));
typedef float floats4 __attribute__((vector_size(16)));

INLINE doubles widen(const float *at)
{
    floats4 v;
    memcpy(&v, at, sizeof v);
    return __builtin_convertvector(v, doubles);
}

INLINE doubles product_term(doubles a, doubles b)
{
    return a * b;
}

INLINE doubles square_term(doubles a, doubles b)
{
    return (a - b) * (a - b);
}

INLINE doubles absolute_term(doubles a, doubles b)
{
    return (doubles)((longs)(a - b) & INT64_MAX);
}

INLINE doubles add(doubles sum, doubles term)
{
    return sum + term;
}

INLINE doubles larger(doubles most, doubles term)
{
    longs more = term > most;
    return (doubles)((more & (longs)term) | (~more & (longs)most));
}

// Eight sums side by side, joined pairwise at the end; numbers beyond the end count as 0.
INLINE double sum_of(const float *x, const float *y, size_t dim, doubles (*term)(doubles, doubles),
                     doubles (*join)(doubles, doubles))
{
    doubles low = {0}, high = {0};
    size_t d = 0;
    for (; d + 8 <= dim; d += 8) {
        low = join(low, term(widen(x + d), widen(y + d)));
        high = join(high, term(widen(x + d + 4), widen(y + d + 4)));
    }
    if (d < dim) {
        float a[8] = {0}, b[8] = {0};
        memcpy(a, x + d, (dim - d) * sizeof *a);
        memcpy(b, y + d, (dim - d) * sizeof *b);
        low = join(low, term(widen(a), widen(b)));
        high = join(high, term(widen(a + 4), widen(b + 4)));
    }
    low = join(low, high);
    low = join(low, (doubles){low[2], low[3], low[2], low[3]});
    return join(low, (doubles){low[1], low[1], low[1], low[1]})[0];
}

// The sums by one instruction set.
#define SUMS(isa, attribute)                                                            \
    attribute static double dot_##isa(const float *x, const float *y, size_t dim)       \
    {                                                                                   \
        return sum_of(x, y, dim, product_term, add);                                    \
    }                                                                                   \
    attribute static double square_##isa(const float *x, const float *y, size_t dim)    \
    {                                                                                   \
        return sum_of(x, y, dim, square_term, add);                                     \
    }                                                                                   \
    attribute static double absolute_##isa(const float *x, const float *y, size_t dim)  \
    {                                                                                   \
        return sum_of(x, y, dim, absolute_term, add);                                   \
    }                                                                                   \
    attribute static double largest_##isa(const float *x, const float *y, size_t dim)   \
    {                                                                                   \
        return sum_of(x, y, dim, absolute_term, larger);                                \
    }                                                                                   \
    static const struct cdp_sums sums_##isa = {dot_##isa, square_##isa, absolute_##isa, \
                                               largest_##isa};

SUMS(plain, )
#ifdef __x86_64__
SUMS(avx2, __attribute__((target("avx2"))))
#endif

const struct cdp_sums *cdp_sums(void)
{
#ifdef __x86_64__
    if (strcmp(cdp_isa(), "plain") != 0)
        return &sums_avx2;
#endif
    return &sums_plain;
}

// SPDX-License-Identifier: MIT
#include "base/sums.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif
#include <stdbool.h>
#include <string.h>

#include "base/doubles.h"
#include "base/isa.h"

#define INLINE static inline __attribute__((always_inline))

typedef float floats4 __attribute__((vector_size(16)));

INLINE cdp_doubles widen(const float *at)
{
    floats4 v;
    memcpy(&v, at, sizeof v);
    return __builtin_convertvector(v, cdp_doubles);
}

INLINE cdp_doubles product_term(cdp_doubles a, cdp_doubles b)
{
    return a * b;
}

INLINE cdp_doubles square_term(cdp_doubles a, cdp_doubles b)
{
    return (a - b) * (a - b);
}

INLINE cdp_doubles absolute_term(cdp_doubles a, cdp_doubles b)
{
    return (cdp_doubles)((cdp_longs)(a - b) & INT64_MAX);
}

INLINE cdp_doubles add(cdp_doubles sum, cdp_doubles term)
{
    return sum + term;
}

INLINE double join_all(const cdp_doubles half[2], cdp_doubles (*join)(cdp_doubles, cdp_doubles))
{
    cdp_doubles low = join(half[0], half[1]);
    low = join(low, (cdp_doubles){low[2], low[3], low[2], low[3]});
    return join(low, (cdp_doubles){low[1], low[1], low[1], low[1]})[0];
}

// Eight sums side by side, joined pairwise at the end; numbers beyond the end count as 0.
INLINE double sum_of(const float *x, const float *y, size_t dim,
                     cdp_doubles (*term)(cdp_doubles, cdp_doubles),
                     cdp_doubles (*join)(cdp_doubles, cdp_doubles))
{
    cdp_doubles low = {0}, high = {0};
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
    return join_all((cdp_doubles[]){low, high}, join);
}

// The sums by one instruction set.
#define SUM(name, isa, attribute, term, join)                                                      \
    attribute static void name##_##isa(const float *const *x, const float *const *y, size_t count, \
                                       size_t dim, double *sum)                                    \
    {                                                                                              \
        for (size_t i = 0; i < count; i++)                                                         \
            sum[i] = sum_of(x[i], y[i], dim, term, join);                                          \
    }
#define SUMS(isa, attribute)                                                            \
    SUM(dot, isa, attribute, product_term, add)                                         \
    SUM(square, isa, attribute, square_term, add)                                       \
    SUM(absolute, isa, attribute, absolute_term, add)                                   \
    SUM(largest, isa, attribute, absolute_term, cdp_larger)                             \
    static const struct cdp_sums sums_##isa = {dot_##isa, square_##isa, absolute_##isa, \
                                               largest_##isa};

SUMS(plain, )
#ifdef __x86_64__
SUMS(avx2, __attribute__((target("avx2"))))

// ---- AVX-512: the same eight sums, in one register

#define AVX512 __attribute__((target("avx512f")))

// The product of two float32 numbers is exact, so that this rounds as a sum of products does.
AVX512 INLINE __m512d add_product_512(__m512d sum, __m512d a, __m512d b)
{
    return _mm512_fmadd_pd(a, b, sum);
}

AVX512 INLINE __m512d add_square_512(__m512d sum, __m512d a, __m512d b)
{
    __m512d apart = _mm512_sub_pd(a, b);
    return _mm512_add_pd(sum, _mm512_mul_pd(apart, apart));
}

AVX512 INLINE __m512d add_absolute_512(__m512d sum, __m512d a, __m512d b)
{
    return _mm512_add_pd(sum, _mm512_abs_pd(_mm512_sub_pd(a, b)));
}

AVX512 INLINE __m512d larger_512(__m512d most, __m512d a, __m512d b)
{
    return _mm512_max_pd(_mm512_abs_pd(_mm512_sub_pd(a, b)),
                         most); // most where they do not compare
}

AVX512 INLINE __m512d widen_512(const float *at)
{
    return _mm512_cvtps_pd(_mm256_loadu_ps(at));
}

// Of `count` pairs of rows, side by side, so that none waits for its own sums. `one`: all x are the
// same row.
AVX512 INLINE void sums_of_512(const float *const *x, const float *const *y, const int count,
                               const bool one, size_t dim, double *sum,
                               __m512d (*step)(__m512d, __m512d, __m512d),
                               cdp_doubles (*join)(cdp_doubles, cdp_doubles))
{
    enum { MOST = 4 };
    __m512d sums[MOST];
    size_t d = 0;
#pragma GCC unroll 4
    for (int i = 0; i < count; i++)
        sums[i] = _mm512_setzero_pd();
    for (; d + 8 <= dim; d += 8) {
        __m512d first = widen_512(x[0] + d);
#pragma GCC unroll 4
        for (int i = 0; i < count; i++)
            sums[i] = step(sums[i], one ? first : widen_512(x[i] + d), widen_512(y[i] + d));
    }
#pragma GCC unroll 4
    for (int i = 0; i < count; i++) {
        if (d < dim) {
            float a[8] = {0}, b[8] = {0};
            memcpy(a, x[i] + d, (dim - d) * sizeof *a);
            memcpy(b, y[i] + d, (dim - d) * sizeof *b);
            sums[i] = step(sums[i], widen_512(a), widen_512(b));
        }
        cdp_doubles half[2];
        memcpy(half, &sums[i], sizeof half);
        sum[i] = join_all(half, join);
    }
}

#define SUM_512(name, step, join)                                                                \
    AVX512 static void name##_avx512(const float *const *x, const float *const *y, size_t count, \
                                     size_t dim, double *sum)                                    \
    {                                                                                            \
        size_t i = 0;                                                                            \
        for (; i + 4 <= count; i += 4) {                                                         \
            if (x[i] == x[i + 1] && x[i] == x[i + 2] && x[i] == x[i + 3])                        \
                sums_of_512(x + i, y + i, 4, true, dim, sum + i, step, join);                    \
            else                                                                                 \
                sums_of_512(x + i, y + i, 4, false, dim, sum + i, step, join);                   \
        }                                                                                        \
        for (; i < count; i++)                                                                   \
            sums_of_512(x + i, y + i, 1, true, dim, sum + i, step, join);                        \
    }

SUM_512(dot, add_product_512, add)
SUM_512(square, add_square_512, add)
SUM_512(absolute, add_absolute_512, add)
SUM_512(largest, larger_512, cdp_larger)

static const struct cdp_sums sums_avx512 = {dot_avx512, square_avx512, absolute_avx512,
                                            largest_avx512};
#endif

const struct cdp_sums *cdp_sums(void)
{
#ifdef __x86_64__
    if (cdp_isa() >= CDP_ISA_AVX512VNNI)
        return &sums_avx512;
    if (cdp_isa() >= CDP_ISA_AVX2)
        return &sums_avx2;
#endif
    return &sums_plain;
}

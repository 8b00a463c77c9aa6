// SPDX-License-Identifier: MIT
#include "base/sums.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif
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

INLINE double join_all(const doubles half[2], doubles (*join)(doubles, doubles))
{
    doubles low = join(half[0], half[1]);
    low = join(low, (doubles){low[2], low[3], low[2], low[3]});
    return join(low, (doubles){low[1], low[1], low[1], low[1]})[0];
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
    return join_all((doubles[]){low, high}, join);
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

// ---- AVX-512: the same eight sums, in one register

#define AVX512 __attribute__((target("avx512f")))

AVX512 INLINE __m512d product_512(__m512d a, __m512d b)
{
    return _mm512_mul_pd(a, b);
}

AVX512 INLINE __m512d square_512(__m512d a, __m512d b)
{
    __m512d apart = _mm512_sub_pd(a, b);
    return _mm512_mul_pd(apart, apart);
}

AVX512 INLINE __m512d absolute_512(__m512d a, __m512d b)
{
    return _mm512_abs_pd(_mm512_sub_pd(a, b));
}

AVX512 INLINE __m512d add_512(__m512d sum, __m512d term)
{
    return _mm512_add_pd(sum, term);
}

AVX512 INLINE __m512d larger_512(__m512d most, __m512d term)
{
    return _mm512_max_pd(term, most); // most where they do not compare
}

AVX512 INLINE __m512d widen_512(const float *at)
{
    return _mm512_cvtps_pd(_mm256_loadu_ps(at));
}

AVX512 INLINE double sum_of_512(const float *x, const float *y, size_t dim,
                                __m512d (*term)(__m512d, __m512d),
                                __m512d (*join)(__m512d, __m512d),
                                doubles (*join_halves)(doubles, doubles))
{
    __m512d sums = _mm512_setzero_pd();
    size_t d = 0;
    for (; d + 8 <= dim; d += 8)
        sums = join(sums, term(widen_512(x + d), widen_512(y + d)));
    if (d < dim) {
        float a[8] = {0}, b[8] = {0};
        memcpy(a, x + d, (dim - d) * sizeof *a);
        memcpy(b, y + d, (dim - d) * sizeof *b);
        sums = join(sums, term(widen_512(a), widen_512(b)));
    }
    doubles half[2];
    memcpy(half, &sums, sizeof half);
    return join_all(half, join_halves);
}

AVX512 static double dot_avx512(const float *x, const float *y, size_t dim)
{
    return sum_of_512(x, y, dim, product_512, add_512, add);
}

AVX512 static double square_avx512(const float *x, const float *y, size_t dim)
{
    return sum_of_512(x, y, dim, square_512, add_512, add);
}

AVX512 static double absolute_avx512(const float *x, const float *y, size_t dim)
{
    return sum_of_512(x, y, dim, absolute_512, add_512, add);
}

AVX512 static double largest_avx512(const float *x, const float *y, size_t dim)
{
    return sum_of_512(x, y, dim, absolute_512, larger_512, larger);
}

static const struct cdp_sums sums_avx512 = {dot_avx512, square_avx512, absolute_avx512,
                                            largest_avx512};
#endif

const struct cdp_sums *cdp_sums(void)
{
#ifdef __x86_64__
    if (strcmp(cdp_isa(), "avx512vnni") == 0)
        return &sums_avx512;
    if (strcmp(cdp_isa(), "avx2") == 0)
        return &sums_avx2;
#endif
    return &sums_plain;
}

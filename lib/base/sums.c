// SPDX-License-Identifier: MIT
#include "base/sums.h"

#ifdef __x86_64__
#include <immintrin.h>
#elif defined __aarch64__
#include <arm_neon.h>
#endif
#include <stdbool.h>
#include <string.h>

#include "base/isa.h"
#include "base/vectors.h"

CDP_INLINE cdp_doubles add(cdp_doubles sum, cdp_doubles term)
{
    return sum + term;
}

CDP_INLINE double join_all(const cdp_doubles half[2], cdp_doubles (*join)(cdp_doubles, cdp_doubles))
{
    cdp_doubles low = join(half[0], half[1]);
    low = join(low, (cdp_doubles){low[2], low[3], low[2], low[3]});
    return join(low, (cdp_doubles){low[1], low[1], low[1], low[1]})[0];
}

// The sums of `count` pairs at a time, so that none waits for its own: eight partial sums of each,
// in registers of `numbers`, added pairwise at the end. Numbers beyond the end count as 0. `one`:
// all x are the same row.
#define SIDE_BY_SIDE(isa, attribute, registers, numbers)                                           \
    attribute CDP_INLINE void sums_of_##isa(                                                       \
        const float *const *x, const float *const *y, const int count, const bool one, size_t dim, \
        double *sum, registers (*step)(registers, registers, registers),                           \
        cdp_doubles (*join)(cdp_doubles, cdp_doubles))                                             \
    {                                                                                              \
        enum { MOST = 4, EACH = 8 / (numbers) };                                                   \
        registers sums[MOST][EACH];                                                                \
        size_t d = 0;                                                                              \
        _Pragma("GCC unroll 4") for (int i = 0; i < count; i++)                                    \
        {                                                                                          \
            _Pragma("GCC unroll 4") for (int e = 0; e < EACH; e++) sums[i][e] = (registers){0};    \
        }                                                                                          \
        for (; d + 8 <= dim; d += 8) {                                                             \
            _Pragma("GCC unroll 4") for (int e = 0; e < EACH; e++)                                 \
            {                                                                                      \
                size_t at = d + (size_t)e * (numbers);                                             \
                registers first = widen_##isa(x[0] + at);                                          \
                _Pragma("GCC unroll 4") for (int i = 0; i < count; i++) sums[i][e] = step(         \
                    sums[i][e], one ? first : widen_##isa(x[i] + at), widen_##isa(y[i] + at));     \
            }                                                                                      \
        }                                                                                          \
        _Pragma("GCC unroll 4") for (int i = 0; i < count; i++)                                    \
        {                                                                                          \
            if (d < dim) {                                                                         \
                float a[8] = {0}, b[8] = {0};                                                      \
                memcpy(a, x[i] + d, (dim - d) * sizeof *a);                                        \
                memcpy(b, y[i] + d, (dim - d) * sizeof *b);                                        \
                _Pragma("GCC unroll 4") for (int e = 0; e < EACH; e++) sums[i][e] = step(          \
                    sums[i][e], widen_##isa(a + e * (numbers)), widen_##isa(b + e * (numbers)));   \
            }                                                                                      \
            cdp_doubles half[2];                                                                   \
            memcpy(half, sums[i], sizeof half);                                                    \
            sum[i] = join_all(half, join);                                                         \
        }                                                                                          \
    }
#define SUM_SIDE_BY_SIDE(name, isa, attribute, step, join)                                         \
    attribute static void name##_##isa(const float *const *x, const float *const *y, size_t count, \
                                       size_t dim, double *sum)                                    \
    {                                                                                              \
        size_t i = 0;                                                                              \
        for (; i + 4 <= count; i += 4) {                                                           \
            if (x[i] == x[i + 1] && x[i] == x[i + 2] && x[i] == x[i + 3])                          \
                sums_of_##isa(x + i, y + i, 4, true, dim, sum + i, step##_##isa, join);            \
            else                                                                                   \
                sums_of_##isa(x + i, y + i, 4, false, dim, sum + i, step##_##isa, join);           \
        }                                                                                          \
        for (; i < count; i++)                                                                     \
            sums_of_##isa(x + i, y + i, 1, true, dim, sum + i, step##_##isa, join);                \
    }
#define SUMS_SIDE_BY_SIDE(isa, attribute, registers, numbers)                           \
    SIDE_BY_SIDE(isa, attribute, registers, numbers)                                    \
    SUM_SIDE_BY_SIDE(dot, isa, attribute, add_product, add)                             \
    SUM_SIDE_BY_SIDE(square, isa, attribute, add_square, add)                           \
    SUM_SIDE_BY_SIDE(absolute, isa, attribute, add_absolute, add)                       \
    SUM_SIDE_BY_SIDE(largest, isa, attribute, larger, cdp_larger)                       \
    static const struct cdp_sums sums_##isa = {dot_##isa, square_##isa, absolute_##isa, \
                                               largest_##isa};

// The product of two float32 numbers is exact, so that a fused sum of products rounds as another
// does. The larger of two is `most` where they do not compare.

typedef float floats2 __attribute__((vector_size(8)));
typedef double doubles2 __attribute__((vector_size(16)));
typedef int64_t longs2 __attribute__((vector_size(16)));

#ifdef __aarch64__
CDP_INLINE doubles2 widen_plain(const float *at)
{
    return (doubles2)vcvt_f64_f32(vld1_f32(at));
}

CDP_INLINE doubles2 add_product_plain(doubles2 sum, doubles2 a, doubles2 b)
{
    return (doubles2)vfmaq_f64((float64x2_t)sum, (float64x2_t)a, (float64x2_t)b);
}
#else
CDP_INLINE doubles2 widen_plain(const float *at)
{
    floats2 v;
    memcpy(&v, at, sizeof v);
    return __builtin_convertvector(v, doubles2);
}

CDP_INLINE doubles2 add_product_plain(doubles2 sum, doubles2 a, doubles2 b)
{
    return sum + a * b;
}
#endif

CDP_INLINE doubles2 add_square_plain(doubles2 sum, doubles2 a, doubles2 b)
{
    return sum + (a - b) * (a - b);
}

CDP_INLINE doubles2 apart_plain(doubles2 a, doubles2 b)
{
    return (doubles2)((longs2)(a - b) & INT64_MAX);
}

CDP_INLINE doubles2 add_absolute_plain(doubles2 sum, doubles2 a, doubles2 b)
{
    return sum + apart_plain(a, b);
}

CDP_INLINE doubles2 larger_plain(doubles2 most, doubles2 a, doubles2 b)
{
    doubles2 apart = apart_plain(a, b);
    longs2 more = apart > most;
    return (doubles2)((more & (longs2)apart) | (~more & (longs2)most));
}

SUMS_SIDE_BY_SIDE(plain, , doubles2, 2)

#ifdef __x86_64__

#define AVX2 __attribute__((target("avx2,fma")))

AVX2 CDP_INLINE __m256d widen_avx2(const float *at)
{
    return _mm256_cvtps_pd(_mm_loadu_ps(at));
}

AVX2 CDP_INLINE __m256d add_product_avx2(__m256d sum, __m256d a, __m256d b)
{
    return _mm256_fmadd_pd(a, b, sum);
}

AVX2 CDP_INLINE __m256d add_square_avx2(__m256d sum, __m256d a, __m256d b)
{
    __m256d apart = _mm256_sub_pd(a, b);
    return _mm256_add_pd(sum, _mm256_mul_pd(apart, apart));
}

AVX2 CDP_INLINE __m256d apart_avx2(__m256d a, __m256d b)
{
    return _mm256_andnot_pd(_mm256_set1_pd(-0.0), _mm256_sub_pd(a, b));
}

AVX2 CDP_INLINE __m256d add_absolute_avx2(__m256d sum, __m256d a, __m256d b)
{
    return _mm256_add_pd(sum, apart_avx2(a, b));
}

AVX2 CDP_INLINE __m256d larger_avx2(__m256d most, __m256d a, __m256d b)
{
    return _mm256_max_pd(apart_avx2(a, b), most);
}

SUMS_SIDE_BY_SIDE(avx2, AVX2, __m256d, 4)

#define AVX512 __attribute__((target("avx512f")))

AVX512 CDP_INLINE __m512d widen_avx512(const float *at)
{
    return _mm512_cvtps_pd(_mm256_loadu_ps(at));
}

AVX512 CDP_INLINE __m512d add_product_avx512(__m512d sum, __m512d a, __m512d b)
{
    return _mm512_fmadd_pd(a, b, sum);
}

AVX512 CDP_INLINE __m512d add_square_avx512(__m512d sum, __m512d a, __m512d b)
{
    __m512d apart = _mm512_sub_pd(a, b);
    return _mm512_add_pd(sum, _mm512_mul_pd(apart, apart));
}

AVX512 CDP_INLINE __m512d add_absolute_avx512(__m512d sum, __m512d a, __m512d b)
{
    return _mm512_add_pd(sum, _mm512_abs_pd(_mm512_sub_pd(a, b)));
}

AVX512 CDP_INLINE __m512d larger_avx512(__m512d most, __m512d a, __m512d b)
{
    return _mm512_max_pd(_mm512_abs_pd(_mm512_sub_pd(a, b)), most);
}

SUMS_SIDE_BY_SIDE(avx512, AVX512, __m512d, 8)
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

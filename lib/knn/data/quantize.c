// SPDX-License-Identifier: MIT
#include "knn/data/sketch.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif
#include <math.h>
#include <string.h>

#include "base/isa.h"
#include "base/vectors.h"

// All instruction sets keep the same eight partial sums, in two halves, so results are the same
// bits.
enum { HALF = 4, LANES = 2 * HALF };
enum { CHUNK = 4 * CDP_DOT_CHUNK };
enum { LOW = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 3 : 0 }; // the lowest byte of an int32_t
#define MARGIN (1 + 1e-6) // covers rounding in the scale itself, which is below 1e-12
typedef int32_t ints __attribute__((vector_size(16)));
typedef int8_t bytes16 __attribute__((vector_size(16)));

CDP_INLINE cdp_doubles load(const double *v)
{
    cdp_doubles some;
    memcpy(&some, v, sizeof some);
    return some;
}

CDP_INLINE cdp_doubles magnitude(cdp_doubles v)
{
    return (cdp_doubles)((cdp_longs)v & INT64_MAX);
}

CDP_INLINE cdp_doubles swapped(cdp_doubles v)
{
    return __builtin_shufflevector(v, v, 1, 0, 3, 2);
}

CDP_INLINE double total(const cdp_doubles half[2])
{
    cdp_doubles v = half[0] + half[1];
    return (v[0] + v[1]) + (v[2] + v[3]);
}

CDP_INLINE double largest(cdp_doubles v)
{
    return fmax(fmax(v[0], v[1]), fmax(v[2], v[3]));
}

// The last numbers, fewer than LANES, padded with 0.
struct last {
    double v[LANES];
};

CDP_INLINE struct last padded(const double *v, size_t count)
{
    struct last last = {{0}};
    memcpy(last.v, v, count * sizeof *v);
    return last;
}

// The smallest scale for a vector with this square to keep to CDP_DOT_WHOLE, rounding included.
CDP_INLINE double whole_scale(double square, size_t dim)
{
    return sqrt(square) / (CDP_DOT_WHOLE - sqrt((double)dim) / 2);
}

// For bytes 0 and 1 of each word, and for bytes 2 and 3: the largest sum of magnitudes, and the
// sum of squares.
struct limits {
    cdp_doubles pair[2], square[2];
};

CDP_INLINE struct limits limit(struct limits l, const double *v)
{
    for (int h = 0; h < 2; h++) {
        cdp_doubles size = magnitude(load(v + h * HALF));
        l.pair[h] = cdp_larger(size + swapped(size), l.pair[h]);
        l.square[h] += size * size;
    }
    return l;
}

// Over all chunks: the largest sum of squares, and the total.
struct chunks {
    cdp_doubles longest, square[2];
};

CDP_INLINE struct chunks add_chunk(struct chunks w, const cdp_doubles square[2])
{
    cdp_doubles both = square[0] + square[1];
    w.longest = cdp_larger(both + swapped(both), w.longest);
    w.square[0] += square[0];
    w.square[1] += square[1];
    return w;
}

CDP_INLINE double tile_scale_from(struct chunks w, const cdp_doubles pairs[2], size_t dim,
                                  double *square)
{
    *square = total(w.square);
    double part = sqrt(largest(w.longest)) / (CDP_DOT_LENGTH - sqrt(2 * CDP_DOT_CHUNK) / 2);
    double pair = largest(cdp_larger(pairs[0], pairs[1])) / (CDP_DOT_PAIR - 1);
    return fmax(pair, fmax(part, whole_scale(*square, dim))) * MARGIN;
}

CDP_INLINE double tile_scale_of(const double *v, size_t dim, double *square)
{
    struct limits l = {{{0}}, {{0}}};
    struct chunks w = {{0}, {{0}}};
    for (size_t d = 0; d < dim;) {
        size_t end = dim - d < CHUNK ? dim : d + CHUNK;
        l.square[0] = l.square[1] = (cdp_doubles){0};
        for (; d + LANES <= end; d += LANES)
            l = limit(l, v + d);
        if (d < end)
            l = limit(l, padded(v + d, end - d).v);
        d = end;
        w = add_chunk(w, l.square);
    }
    return tile_scale_from(w, l.pair, dim, square);
}

// The largest magnitude and the sum of squares, in two halves.
struct extent {
    cdp_doubles most[2], square[2];
};

CDP_INLINE struct extent extend(struct extent e, const double *v)
{
    for (int h = 0; h < 2; h++) {
        cdp_doubles some = load(v + h * HALF);
        e.most[h] = cdp_larger(magnitude(some), e.most[h]);
        e.square[h] += some * some;
    }
    return e;
}

CDP_INLINE double pair_scale_from(struct extent e, size_t dim, double *square)
{
    *square = total(e.square);
    double one = largest(cdp_larger(e.most[0], e.most[1])) / INT8_MAX;
    return fmax(one, whole_scale(*square, dim)) * MARGIN;
}

CDP_INLINE double pair_scale_of(const double *v, size_t dim, double *square)
{
    struct extent e = {{{0}}, {{0}}};
    size_t d = 0;
    for (; d + LANES <= dim; d += LANES)
        e = extend(e, v + d);
    if (d < dim)
        e = extend(e, padded(v + d, dim - d).v);
    return pair_scale_from(e, dim, square);
}

struct rounding {
    ints sum, square;
    cdp_doubles residual[2];
};

CDP_INLINE struct rounding quantize_some(struct rounding r, const double *v, double scale,
                                         double inverse, int8_t *q)
{
    for (int h = 0; h < 2; h++) {
        // Adding and subtracting 1.5 x 2^52 rounds to an integer.
        cdp_doubles some = load(v + h * HALF), rounded = some * inverse + 0x1.8p52 - 0x1.8p52;
        cdp_doubles e = some - scale * rounded;
        ints whole = __builtin_convertvector(rounded, ints);
        bytes16 all = (bytes16)whole;
        bytes16 lowest = __builtin_shufflevector(all, all, LOW, LOW + 4, LOW + 8, LOW + 12, -1, -1,
                                                 -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
        memcpy(q + h * HALF, &lowest, HALF);
        r.sum += whole;
        r.square += whole * whole;
        r.residual[h] += e * e;
    }
    return r;
}

CDP_INLINE struct cdp_quantized quantize_to(const double *v, size_t dim, double scale, int8_t *q)
{
    struct rounding r = {{0}, {0}, {{0}}};
    double inverse = 1 / scale;
    size_t d = 0;
    for (; d + LANES <= dim; d += LANES)
        r = quantize_some(r, v + d, scale, inverse, q + d);
    if (d < dim) {
        int8_t some[LANES];
        r = quantize_some(r, padded(v + d, dim - d).v, scale, inverse, some);
        memcpy(q + d, some, dim - d);
    }
    return (struct cdp_quantized){
        .sum = r.sum[0] + r.sum[1] + r.sum[2] + r.sum[3],
        .square = r.square[0] + r.square[1] + r.square[2] + r.square[3],
        .residual = total(r.residual),
    };
}

CDP_INLINE void add_to(double *v, size_t dim, double scale, const int8_t *q)
{
#pragma omp simd
    for (size_t d = 0; d < dim; d++)
        v[d] += scale * q[d];
}

CDP_INLINE void center_at(const float *x, size_t dim, double unit, const double *origin, double *v)
{
#pragma omp simd
    for (size_t d = 0; d < dim; d++)
        v[d] = unit * (double)x[d] - origin[d];
}

CDP_INLINE void round12_to(const double *v, size_t dim, float *vector)
{
#pragma omp simd
    for (size_t d = 0; d < dim; d++)
        vector[d] = cdp_round12(v[d]);
}

// All functions for one instruction set.
#define SIMPLE(isa, attribute)                                                               \
    attribute static void add_##isa(double *v, size_t dim, double scale, const int8_t *q)    \
    {                                                                                        \
        add_to(v, dim, scale, q);                                                            \
    }                                                                                        \
    attribute static void center_##isa(const float *x, size_t dim, double unit,              \
                                       const double *origin, double *v)                      \
    {                                                                                        \
        center_at(x, dim, unit, origin, v);                                                  \
    }                                                                                        \
    attribute static void round12_##isa(const double *v, size_t dim, float *vector)          \
    {                                                                                        \
        round12_to(v, dim, vector);                                                          \
    }                                                                                        \
    static const struct cdp_quantizer quantizer_##isa = {tile_scale_##isa, pair_scale_##isa, \
                                                         quantize_##isa,   add_##isa,        \
                                                         center_##isa,     round12_##isa};
#define QUANTIZER(isa, attribute)                                                         \
    attribute static double tile_scale_##isa(const double *v, size_t dim, double *square) \
    {                                                                                     \
        return tile_scale_of(v, dim, square);                                             \
    }                                                                                     \
    attribute static double pair_scale_##isa(const double *v, size_t dim, double *square) \
    {                                                                                     \
        return pair_scale_of(v, dim, square);                                             \
    }                                                                                     \
    attribute static struct cdp_quantized quantize_##isa(const double *v, size_t dim,     \
                                                         double scale, int8_t *q)         \
    {                                                                                     \
        return quantize_to(v, dim, scale, q);                                             \
    }                                                                                     \
    SIMPLE(isa, attribute)

QUANTIZER(plain, )
#ifdef __x86_64__
QUANTIZER(avx2, __attribute__((target("avx2"))))

// ---- AVX-512: the same eight partial sums, in one register

#define AVX512 __attribute__((target("avx512f")))

AVX512 static double tile_scale_avx512(const double *v, size_t dim, double *square)
{
    __m512d pairs = _mm512_setzero_pd();
    struct chunks w = {{0}, {{0}}};
    cdp_doubles half[2];
    for (size_t d = 0; d < dim;) {
        size_t end = dim - d < CHUNK ? dim : d + CHUNK;
        __m512d sum = _mm512_setzero_pd();
        for (; d < end; d += LANES) {
            __mmask8 here = (__mmask8)(end - d < LANES ? (1U << (end - d)) - 1 : 0xFF);
            __m512d size = _mm512_abs_pd(_mm512_maskz_loadu_pd(here, v + d));
            __m512d other = _mm512_permute_pd(size, 0x55);
            pairs = _mm512_max_pd(_mm512_add_pd(size, other), pairs);
            sum = _mm512_add_pd(sum, _mm512_mul_pd(size, size));
        }
        d = end;
        memcpy(half, &sum, sizeof sum);
        w = add_chunk(w, half);
    }
    memcpy(half, &pairs, sizeof pairs);
    return tile_scale_from(w, half, dim, square);
}

AVX512 static double pair_scale_avx512(const double *v, size_t dim, double *square)
{
    __m512d most = _mm512_setzero_pd(), sum = most;
    for (size_t d = 0; d < dim; d += LANES) {
        __mmask8 here = (__mmask8)(dim - d < LANES ? (1U << (dim - d)) - 1 : 0xFF);
        __m512d some = _mm512_maskz_loadu_pd(here, v + d);
        most = _mm512_max_pd(_mm512_abs_pd(some), most);
        sum = _mm512_add_pd(sum, _mm512_mul_pd(some, some));
    }
    struct extent e;
    memcpy(e.most, &most, sizeof most);
    memcpy(e.square, &sum, sizeof sum);
    return pair_scale_from(e, dim, square);
}

AVX512 static struct cdp_quantized quantize_avx512(const double *v, size_t dim, double scale,
                                                   int8_t *q)
{
    const __m512d inverse = _mm512_set1_pd(1 / scale), step = _mm512_set1_pd(scale),
                  magic = _mm512_set1_pd(0x1.8p52);
    __m512d residual = _mm512_setzero_pd();
    __m512i sum = _mm512_setzero_si512(), square = sum;
    for (size_t d = 0; d < dim; d += LANES) {
        __mmask8 here = (__mmask8)(dim - d < LANES ? (1U << (dim - d)) - 1 : 0xFF);
        __m512d some = _mm512_maskz_loadu_pd(here, v + d);
        __m512d rounded = _mm512_add_pd(_mm512_mul_pd(some, inverse), magic);
        rounded = _mm512_sub_pd(rounded, magic);
        __m512d e = _mm512_sub_pd(some, _mm512_mul_pd(step, rounded));
        __m512i whole = _mm512_zextsi256_si512(_mm512_cvtpd_epi32(rounded));
        _mm512_mask_cvtepi32_storeu_epi8(q + d, here, whole);
        sum = _mm512_add_epi32(sum, whole);
        square = _mm512_add_epi32(square, _mm512_mullo_epi32(whole, whole));
        residual = _mm512_add_pd(residual, _mm512_mul_pd(e, e));
    }
    cdp_doubles half[2];
    memcpy(half, &residual, sizeof residual);
    return (struct cdp_quantized){.sum = _mm512_reduce_add_epi32(sum),
                                  .square = _mm512_reduce_add_epi32(square),
                                  .residual = total(half)};
}

SIMPLE(avx512, AVX512)
#endif

const struct cdp_quantizer *cdp_quantizer(void)
{
#ifdef __x86_64__
    if (cdp_isa() >= CDP_ISA_AVX512VNNI)
        return &quantizer_avx512;
    if (cdp_isa() >= CDP_ISA_AVX2)
        return &quantizer_avx2;
#endif
    return &quantizer_plain;
}

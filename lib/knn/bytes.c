// SPDX-License-Identifier: MIT
#include "knn/bytes.h"

#include <math.h>
#include <string.h>

#include "base/doubles.h"
#include "base/isa.h"
#include "knn/kernel.h"

#define INLINE static inline __attribute__((always_inline))

// Sums are eight side by side, in two halves, for every instruction set the same.
enum { HALF = 4, LANES = 2 * HALF };
typedef int32_t ints __attribute__((vector_size(16)));
typedef int8_t bytes16 __attribute__((vector_size(16)));

INLINE cdp_doubles load(const double *v)
{
    cdp_doubles some;
    memcpy(&some, v, sizeof some);
    return some;
}

INLINE cdp_doubles magnitude(cdp_doubles v)
{
    return (cdp_doubles)((cdp_longs)v & INT64_MAX);
}

INLINE cdp_doubles swapped(cdp_doubles v)
{
    return __builtin_shufflevector(v, v, 1, 0, 3, 2);
}

INLINE double total(cdp_doubles v)
{
    return (v[0] + v[1]) + (v[2] + v[3]);
}

INLINE double largest(cdp_doubles v)
{
    return fmax(fmax(v[0], v[1]), fmax(v[2], v[3]));
}

// The last numbers, fewer than LANES, and 0.
struct last {
    double v[LANES];
};

INLINE struct last last_of(const double *v, size_t count)
{
    struct last last = {{0}};
    memcpy(last.v, v, count * sizeof *v);
    return last;
}

// The least scale for the whole item, of which this is the square.
INLINE double whole_of(double square, size_t dim)
{
    return sqrt(square) / (CDP_DOT_WHOLE - sqrt((double)dim) / 2);
}

// Of bytes 0 and 1 of each word, and of 2 and 3: the largest sum of magnitudes, and the squares.
struct limits {
    cdp_doubles pair, square;
};

INLINE struct limits limit(struct limits l, const double *v)
{
    for (int h = 0; h < 2; h++) {
        cdp_doubles size = magnitude(load(v + h * HALF));
        l.pair = cdp_larger(size + swapped(size), l.pair);
        l.square += size * size;
    }
    return l;
}

INLINE double scale_of(const double *v, size_t dim, double *square)
{
    struct limits l = {{0}, {0}};
    cdp_doubles longest = {0}, all = {0};
    for (size_t d = 0; d < dim;) {
        size_t end = dim - d < 4 * CDP_DOT_CHUNK ? dim : d + 4 * CDP_DOT_CHUNK;
        l.square = (cdp_doubles){0};
        for (; d + LANES <= end; d += LANES)
            l = limit(l, v + d);
        if (d < end)
            l = limit(l, last_of(v + d, end - d).v);
        d = end;
        longest = cdp_larger(l.square + swapped(l.square), longest);
        all += l.square;
    }
    *square = total(all);
    double part = sqrt(largest(longest)) / (CDP_DOT_LENGTH - sqrt(2 * CDP_DOT_CHUNK) / 2);
    double pair = largest(l.pair) / (CDP_DOT_PAIR - 1);
    return fmax(pair, fmax(part, whole_of(*square, dim))) * (1 + 1e-6);
}

// The largest magnitudes and the squares, of two halves.
struct extent {
    cdp_doubles most[2], square[2];
};

INLINE struct extent extend(struct extent e, const double *v)
{
    for (int h = 0; h < 2; h++) {
        cdp_doubles some = load(v + h * HALF);
        e.most[h] = cdp_larger(magnitude(some), e.most[h]);
        e.square[h] += some * some;
    }
    return e;
}

INLINE double finest_of(const double *v, size_t dim, double *square)
{
    struct extent e = {{{0}}, {{0}}};
    size_t d = 0;
    for (; d + LANES <= dim; d += LANES)
        e = extend(e, v + d);
    if (d < dim)
        e = extend(e, last_of(v + d, dim - d).v);
    *square = total(e.square[0] + e.square[1]);
    double one = largest(cdp_larger(e.most[0], e.most[1])) / INT8_MAX;
    return fmax(one, whole_of(*square, dim)) * (1 + 1e-6);
}

// Sums over the numbers that were rounded so far.
struct rounding {
    ints sum, square;
    cdp_doubles residual[2];
};

INLINE struct rounding round_some(struct rounding r, const double *v, double scale, double inverse,
                                  int8_t *q)
{
    for (int h = 0; h < 2; h++) {
        // Adding and taking away 1.5 x 2^52 rounds to an integer.
        cdp_doubles some = load(v + h * HALF), rounded = some * inverse + 0x1.8p52 - 0x1.8p52;
        cdp_doubles e = some - scale * rounded;
        ints whole = __builtin_convertvector(rounded, ints);
        bytes16 all = (bytes16)whole;
        bytes16 lowest =
            __builtin_shufflevector(all, all, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12);
        memcpy(q + h * HALF, &lowest, HALF);
        r.sum += whole;
        r.square += whole * whole;
        r.residual[h] += e * e;
    }
    return r;
}

INLINE struct cdp_bytes round_to(const double *v, size_t dim, double scale, int8_t *q)
{
    struct rounding r = {{0}, {0}, {{0}}};
    double inverse = 1 / scale;
    size_t d = 0;
    for (; d + LANES <= dim; d += LANES)
        r = round_some(r, v + d, scale, inverse, q + d);
    if (d < dim) {
        int8_t some[LANES];
        r = round_some(r, last_of(v + d, dim - d).v, scale, inverse, some);
        memcpy(q + d, some, dim - d);
    }
    return (struct cdp_bytes){
        .sum = r.sum[0] + r.sum[1] + r.sum[2] + r.sum[3],
        .square = r.square[0] + r.square[1] + r.square[2] + r.square[3],
        .residual = total(r.residual[0] + r.residual[1]),
    };
}

INLINE void add_to(double *v, size_t dim, double scale, const int8_t *q)
{
#pragma omp simd
    for (size_t d = 0; d < dim; d++)
        v[d] += scale * q[d];
}

// The functions by one instruction set.
#define ROUNDER(isa, attribute)                                                              \
    attribute static double scale_##isa(const double *v, size_t dim, double *square)         \
    {                                                                                        \
        return scale_of(v, dim, square);                                                     \
    }                                                                                        \
    attribute static double finest_##isa(const double *v, size_t dim, double *square)        \
    {                                                                                        \
        return finest_of(v, dim, square);                                                    \
    }                                                                                        \
    attribute static struct cdp_bytes round_##isa(const double *v, size_t dim, double scale, \
                                                  int8_t *q)                                 \
    {                                                                                        \
        return round_to(v, dim, scale, q);                                                   \
    }                                                                                        \
    attribute static void add_##isa(double *v, size_t dim, double scale, const int8_t *q)    \
    {                                                                                        \
        add_to(v, dim, scale, q);                                                            \
    }                                                                                        \
    static const struct cdp_rounder rounder_##isa = {scale_##isa, finest_##isa, round_##isa, \
                                                     add_##isa};

ROUNDER(plain, )
#ifdef __x86_64__
ROUNDER(avx2, __attribute__((target("avx2"))))
#endif

const struct cdp_rounder *cdp_rounder(void)
{
#ifdef __x86_64__
    if (cdp_isa() >= CDP_ISA_AVX2)
        return &rounder_avx2;
#endif
    return &rounder_plain;
}

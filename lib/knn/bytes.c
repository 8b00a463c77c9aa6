// SPDX-License-Identifier: MIT
#include "knn/bytes.h"

#include <math.h>
#include <string.h>

#include "base/doubles.h"
#include "base/isa.h"
#include "knn/kernel.h"

#define INLINE static inline __attribute__((always_inline))

// Sums are four side by side, for every instruction set the same.
enum { LANES = 4 };
typedef int32_t ints __attribute__((vector_size(16)));
typedef int8_t bytes16 __attribute__((vector_size(16)));

INLINE cdp_doubles load(const double *v)
{
    cdp_doubles some;
    memcpy(&some, v, sizeof some);
    return some;
}

// The last numbers, fewer than LANES, and 0.
INLINE cdp_doubles load_last(const double *v, size_t count)
{
    cdp_doubles some = {0};
    for (size_t i = 0; i < count; i++)
        some[i] = v[i];
    return some;
}

INLINE double total(cdp_doubles sum)
{
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

INLINE double square_of(const double *v, size_t dim)
{
    cdp_doubles sum = {0};
    size_t d = 0;
    for (; d + LANES <= dim; d += LANES)
        sum += load(v + d) * load(v + d);
    cdp_doubles last = load_last(v + d, dim - d);
    return total(sum + last * last);
}

// Of bytes 0 and 1 of each word, and of 2 and 3: the largest sum of magnitudes, and the squares.
struct limits {
    cdp_doubles pair, square;
};

INLINE struct limits limit(struct limits l, cdp_doubles some)
{
    cdp_doubles size = (cdp_doubles)((cdp_longs)some & INT64_MAX);
    cdp_doubles other = __builtin_shufflevector(size, size, 1, 0, 3, 2);
    return (struct limits){cdp_larger(size + other, l.pair), l.square + size * size};
}

INLINE double scale_of(const double *v, size_t dim)
{
    struct limits l = {{0}, {0}};
    cdp_doubles longest = {0};
    double all = 0;
    for (size_t d = 0; d < dim;) {
        size_t end = dim - d < 4 * CDP_DOT_CHUNK ? dim : d + 4 * CDP_DOT_CHUNK;
        l.square = (cdp_doubles){0};
        for (; d + LANES <= end; d += LANES)
            l = limit(l, load(v + d));
        l = limit(l, load_last(v + d, end - d));
        d = end;
        cdp_doubles halves = l.square + __builtin_shufflevector(l.square, l.square, 1, 0, 3, 2);
        longest = cdp_larger(halves, longest);
        all += halves[0] + halves[2];
    }
    double pair = fmax(l.pair[0], l.pair[2]), length = sqrt(fmax(longest[0], longest[2]));
    double part = length / (CDP_DOT_LENGTH - sqrt(2 * CDP_DOT_CHUNK) / 2);
    double whole = sqrt(all) / (CDP_DOT_WHOLE - sqrt((double)dim) / 2);
    return fmax(pair / (CDP_DOT_PAIR - 1), fmax(part, whole)) * (1 + 1e-6);
}

INLINE double finest_of(const double *v, size_t dim)
{
    cdp_doubles most = {0};
    size_t d = 0;
    for (; d + LANES <= dim; d += LANES)
        most = cdp_larger((cdp_doubles)((cdp_longs)load(v + d) & INT64_MAX), most);
    most = cdp_larger((cdp_doubles)((cdp_longs)load_last(v + d, dim - d) & INT64_MAX), most);
    double one = fmax(fmax(most[0], most[1]), fmax(most[2], most[3]));
    double whole = sqrt(square_of(v, dim)) / (CDP_DOT_WHOLE - sqrt((double)dim) / 2);
    return fmax(one / INT8_MAX, whole) * (1 + 1e-6);
}

// Four numbers rounded, and sums over all so far.
struct rounding {
    ints whole, sum, square;
    cdp_doubles residual;
};

INLINE struct rounding round_four(struct rounding r, cdp_doubles some, double scale, double inverse)
{
    // Adding and taking away 1.5 x 2^52 rounds to an integer.
    cdp_doubles rounded = some * inverse + 0x1.8p52 - 0x1.8p52, e = some - scale * rounded;
    ints whole = __builtin_convertvector(rounded, ints);
    return (struct rounding){whole, r.sum + whole, r.square + whole * whole, r.residual + e * e};
}

INLINE struct cdp_bytes round_to(const double *v, size_t dim, double scale, int8_t *q)
{
    struct rounding r = {{0}, {0}, {0}, {0}};
    double inverse = 1 / scale;
    size_t d = 0;
    for (; d + LANES <= dim; d += LANES) {
        r = round_four(r, load(v + d), scale, inverse);
        bytes16 all = (bytes16)r.whole;
        bytes16 lowest =
            __builtin_shufflevector(all, all, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12);
        memcpy(q + d, &lowest, LANES);
    }
    r = round_four(r, load_last(v + d, dim - d), scale, inverse);
    for (size_t i = 0; d + i < dim; i++)
        q[d + i] = (int8_t)r.whole[i];
    return (struct cdp_bytes){
        .sum = r.sum[0] + r.sum[1] + r.sum[2] + r.sum[3],
        .square = r.square[0] + r.square[1] + r.square[2] + r.square[3],
        .residual = total(r.residual),
    };
}

// The functions by one instruction set.
#define ROUNDER(isa, attribute)                                                               \
    attribute static double square_##isa(const double *v, size_t dim)                         \
    {                                                                                         \
        return square_of(v, dim);                                                             \
    }                                                                                         \
    attribute static double scale_##isa(const double *v, size_t dim)                          \
    {                                                                                         \
        return scale_of(v, dim);                                                              \
    }                                                                                         \
    attribute static double finest_##isa(const double *v, size_t dim)                         \
    {                                                                                         \
        return finest_of(v, dim);                                                             \
    }                                                                                         \
    attribute static struct cdp_bytes round_##isa(const double *v, size_t dim, double scale,  \
                                                  int8_t *q)                                  \
    {                                                                                         \
        return round_to(v, dim, scale, q);                                                    \
    }                                                                                         \
    static const struct cdp_rounder rounder_##isa = {square_##isa, scale_##isa, finest_##isa, \
                                                     round_##isa};

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

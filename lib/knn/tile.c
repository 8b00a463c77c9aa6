// SPDX-License-Identifier: MIT
// Compiled with contraction of a x b + c, unlike the rest: rounding once is faster, and what this
// pass computes only has to keep its error bound (see knn.c).
#include "knn/tile.h"

#include <stdlib.h>
#include <string.h>

enum { ROWS = CDP_TILE_ROWS, COLUMNS = CDP_TILE_COLUMNS };

// Half a panel's columns: one AVX register, two SSE or NEON ones. With six rows the accumulators of
// a tile are twelve of the sixteen registers of AVX2.
typedef float vector __attribute__((vector_size(32)));
typedef int32_t mask __attribute__((vector_size(32)));
enum { LANES = 8, HALVES = COLUMNS / LANES };

#define INLINE static inline __attribute__((always_inline))

INLINE vector load(const float *at)
{
    vector v;
    memcpy(&v, at, sizeof v);
    return v;
}

INLINE vector magnitude(vector v)
{
    return (vector)((mask)v & 0x7FFFFFFF);
}

INLINE vector dot_step(vector sum, vector x, vector y)
{
    return sum + x * y;
}

INLINE vector l1_step(vector sum, vector x, vector y)
{
    return sum + magnitude(x - y);
}

INLINE vector linf_step(vector sum, vector x, vector y)
{
    vector apart = magnitude(x - y);
    mask larger = apart > sum;
    return (vector)((larger & (mask)apart) | (~larger & (mask)sum));
}

// A tile whose accumulators advance by `step`; `sign` makes larger nearer.
INLINE void tile(const void *const query[ROWS], const void *panel, size_t dim,
                 float out[ROWS][COLUMNS], vector (*step)(vector, vector, vector), float sign)
{
    vector sum[ROWS][HALVES] = {0};
    const float *item = panel;
    const float *q0 = query[0], *q1 = query[1], *q2 = query[2], *q3 = query[3], *q4 = query[4],
                *q5 = query[5];
    for (size_t d = 0; d < dim; d++, item += COLUMNS) {
        vector y0 = load(item), y1 = load(item + LANES);
#define ADVANCE(row, q)                         \
    do {                                        \
        vector x = (q)[d] - (vector){0};        \
        sum[row][0] = step(sum[row][0], x, y0); \
        sum[row][1] = step(sum[row][1], x, y1); \
    } while (0)
        ADVANCE(0, q0);
        ADVANCE(1, q1);
        ADVANCE(2, q2);
        ADVANCE(3, q3);
        ADVANCE(4, q4);
        ADVANCE(5, q5);
#undef ADVANCE
    }
    for (int row = 0; row < ROWS; row++) {
        for (int half = 0; half < HALVES; half++) {
            vector v = sum[row][half] * sign;
            memcpy(&out[row][half * LANES], &v, sizeof v);
        }
    }
}

INLINE void hamming_tile(const void *const query[ROWS], const void *panel, size_t words,
                         float out[ROWS][COLUMNS])
{
    const uint64_t *item = panel;
    for (int row = 0; row < ROWS; row++) {
        const uint64_t *q = query[row];
        int64_t sum[COLUMNS] = {0};
        for (size_t w = 0; w < words; w++) {
            for (int c = 0; c < COLUMNS; c++)
                sum[c] += __builtin_popcountll(q[w] ^ item[w * COLUMNS + (size_t)c]);
        }
        for (int c = 0; c < COLUMNS; c++)
            out[row][c] = -(float)sum[c];
    }
}

// The four functions for one instruction set.
#define DEFINE(isa, attribute)                                                                     \
    attribute static void dot_##isa(const void *const query[ROWS], const void *panel, size_t dim,  \
                                    float out[ROWS][COLUMNS])                                      \
    {                                                                                              \
        tile(query, panel, dim, out, dot_step, 1);                                                 \
    }                                                                                              \
    attribute static void l1_##isa(const void *const query[ROWS], const void *panel, size_t dim,   \
                                   float out[ROWS][COLUMNS])                                       \
    {                                                                                              \
        tile(query, panel, dim, out, l1_step, -1);                                                 \
    }                                                                                              \
    attribute static void linf_##isa(const void *const query[ROWS], const void *panel, size_t dim, \
                                     float out[ROWS][COLUMNS])                                     \
    {                                                                                              \
        tile(query, panel, dim, out, linf_step, -1);                                               \
    }                                                                                              \
    attribute static void hamming_##isa(const void *const query[ROWS], const void *panel,          \
                                        size_t dim, float out[ROWS][COLUMNS])                      \
    {                                                                                              \
        hamming_tile(query, panel, dim, out);                                                      \
    }

#define TABLE(isa)                                                                   \
    {                                                                                \
        [CDP_COSINE] = dot_##isa, [CDP_ANGULAR] = dot_##isa, [CDP_L2] = dot_##isa,   \
        [CDP_L1] = l1_##isa, [CDP_LINF] = linf_##isa, [CDP_HAMMING] = hamming_##isa, \
    }

DEFINE(plain, )
#ifdef __x86_64__
DEFINE(avx2, __attribute__((target("avx2,fma,popcnt"))))
#endif

static const struct isa {
    const char *name;
    cdp_tile_function *function[CDP_HAMMING + 1];
} isas[] = {
#ifdef __x86_64__
    {"avx2", TABLE(avx2)},
#endif
    {"plain", TABLE(plain)},
};

static int usable(const char *name)
{
#ifdef __x86_64__
    if (!strcmp(name, "avx2"))
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
               __builtin_cpu_supports("popcnt");
#endif
    return !strcmp(name, "plain");
}

// The best that there is, or the one that CDP_ISA names.
static const struct isa *choose(void)
{
    const char *wanted = getenv("CDP_ISA");
    const struct isa *best = NULL;
    for (size_t i = 0; i < sizeof isas / sizeof isas[0]; i++) {
        if (!usable(isas[i].name))
            continue;
        if (wanted && !strcmp(wanted, isas[i].name))
            return &isas[i];
        if (!best)
            best = &isas[i];
    }
    return best;
}

cdp_tile_function *cdp_tile(enum cdp_metric metric)
{
    return choose()->function[metric];
}

const char *cdp_tile_isa(void)
{
    return choose()->name;
}

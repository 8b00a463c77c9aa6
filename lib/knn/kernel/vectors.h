// SPDX-License-Identifier: MIT
#ifndef CDP_KNN_VECTORS_H
#define CDP_KNN_VECTORS_H

#ifdef __aarch64__
#include <arm_neon.h>
#endif
#include <string.h>

#include "base/vectors.h"
#include "knn/kernel/kernel.h"

// From avx512.c, for amx.c too.
cdp_tile_function cdp_dot_avx512vnni;
cdp_pairs_function cdp_dot_pairs_avx512vnni;
cdp_project_function cdp_project_avx512;
cdp_merge_function cdp_merge_avx512;

// Loops in the compiler's vectors. Each kernel instantiates them for its instruction set by
// FUNCTIONS.

enum {
    GROUP = 6, // rows of a tile whose sums fit the registers,
    HALF = 3,  // or this many for the last rows
    COLUMNS = CDP_TILE_COLUMNS,
    PANEL = CDP_PANEL_COLUMNS,
    CHUNK = CDP_DOT_CHUNK
};

// Repeats code for each row of a group, with variables of its own: gcc 12 keeps arrays in memory.
#define EACH_ROW(what) what(0) what(1) what(2) what(3) what(4) what(5)

typedef uint64_t lanes64 __attribute__((vector_size(CDP_VECTOR)));
typedef uint32_t lanes32 __attribute__((vector_size(CDP_VECTOR)));
typedef uint16_t lanes16 __attribute__((vector_size(CDP_VECTOR)));
typedef int16_t signed16 __attribute__((vector_size(CDP_VECTOR)));
enum { VECTORS = PANEL / CDP_LANES };

// Bit i: lane i is all ones.
CDP_INLINE uint64_t bits_of(cdp_ints lanes)
{
    cdp_ints bit = {1, 2, 4, 8};
#if CDP_VECTOR == 32
    bit = (cdp_ints){1, 2, 4, 8, 16, 32, 64, 128};
#endif
    lanes64 q = (lanes64)(lanes & bit);
    uint64_t both = 0;
    for (size_t i = 0; i < CDP_LANES / 2; i++)
        both |= q[i];
    return (both | both >> 32) & 0xFF;
}

CDP_INLINE float as_float(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

CDP_INLINE cdp_floats magnitude(cdp_floats v)
{
    return (cdp_floats)((cdp_ints)v & 0x7FFFFFFF);
}

CDP_INLINE cdp_floats l1_step(cdp_floats sum, cdp_floats x, cdp_floats y)
{
    return sum + magnitude(x - y);
}

CDP_INLINE cdp_floats linf_step(cdp_floats sum, cdp_floats x, cdp_floats y)
{
    cdp_floats apart = magnitude(x - y);
    cdp_ints larger = apart > sum;
    return (cdp_floats)((larger & (cdp_ints)apart) | (~larger & (cdp_ints)sum));
}

CDP_INLINE bool float_group(const struct cdp_tile *t, uint64_t passed[GROUP], const int rows,
                            cdp_floats (*step)(cdp_floats, cdp_floats, cdp_floats))
{
    uint64_t any = 0;
    memset(passed, 0, GROUP * sizeof *passed);
    for (size_t p = 0; p < t->panels; p++) {
        const uint32_t *item = t->panel + p * PANEL * t->words;
        cdp_floats sum[GROUP][VECTORS] = {0};
        for (size_t w = 0; w < t->words; w++, item += PANEL) {
#pragma GCC unroll 6
            for (int r = 0; r < rows; r++) {
                cdp_floats x = as_float(t->row[r][w]) - (cdp_floats){0};
#pragma GCC unroll 4
                for (size_t v = 0; v < VECTORS; v++)
                    sum[r][v] = step(sum[r][v], x, cdp_floats_load(item + v * CDP_LANES));
            }
        }
        for (int r = 0; r < rows; r++) {
            for (size_t v = 0; v < VECTORS; v++) {
                size_t c = p * PANEL + v * CDP_LANES;
                cdp_floats score = -sum[r][v];
                if (t->score)
                    cdp_floats_store(t->score[r] + c, score);
                uint64_t here = bits_of(~(score < t->threshold[r].score));
                passed[r] |= here << c;
            }
            any |= passed[r];
        }
    }
    return any;
}

// Joins its lanes by the step itself, so step(s, x, 0) must be s + |x|, or the larger of s and |x|.
CDP_INLINE float float_pair(const uint32_t *x, const uint32_t *y, size_t words,
                            cdp_floats (*step)(cdp_floats, cdp_floats, cdp_floats))
{
    enum { SUMS = 8, EACH = SUMS / CDP_LANES };
    cdp_floats sum[EACH] = {0}, all = {0};
    size_t w = 0;
    for (; w + SUMS <= words; w += SUMS) {
        for (size_t i = w, e = 0; e < EACH; i += CDP_LANES, e++)
            sum[e] = step(sum[e], cdp_floats_load(x + i), cdp_floats_load(y + i));
    }
    if (w < words) {
        float a[SUMS] = {0}, b[SUMS] = {0};
        memcpy(a, x + w, (words - w) * sizeof *x);
        memcpy(b, y + w, (words - w) * sizeof *y);
        for (size_t i = 0, e = 0; e < EACH; i += CDP_LANES, e++)
            sum[e] = step(sum[e], cdp_floats_load(a + i), cdp_floats_load(b + i));
    }
    for (int i = 0; i < SUMS; i++)
        all = step(all, (cdp_floats){sum[i / CDP_LANES][i % CDP_LANES]}, (cdp_floats){0});
    return -all[0];
}

CDP_INLINE bool l1_group(const struct cdp_tile *t, uint64_t passed[GROUP], const int rows)
{
    return float_group(t, passed, rows, l1_step);
}

CDP_INLINE bool linf_group(const struct cdp_tile *t, uint64_t passed[GROUP], const int rows)
{
    return float_group(t, passed, rows, linf_step);
}

CDP_INLINE float l1_pair(const uint32_t *x, const uint32_t *y, size_t words)
{
    return float_pair(x, y, words, l1_step);
}

CDP_INLINE float linf_pair(const uint32_t *x, const uint32_t *y, size_t words)
{
    return float_pair(x, y, words, linf_step);
}

// The bits set in each byte (Warren, Hacker's Delight, section 5-1).
CDP_INLINE lanes32 bits_of_bytes(lanes32 v)
{
#ifdef __aarch64__
    return (lanes32)vcntq_u8((uint8x16_t)v);
#endif
    v -= v >> 1 & 0x55555555;
    v = (v & 0x33333333) + (v >> 2 & 0x33333333);
    return (v + (v >> 4)) & 0x0F0F0F0F;
}

CDP_INLINE bool hamming_group(const struct cdp_tile *t, uint64_t passed[GROUP], const int rows)
{
    enum { RUN = 31 }; // words of 8 bits a byte that a byte can count
    uint64_t any = 0;
    memset(passed, 0, GROUP * sizeof *passed);
    for (size_t v = 0; v < VECTORS * t->panels; v++) {
        const uint32_t *item = t->panel + v / VECTORS * PANEL * t->words + v % VECTORS * CDP_LANES;
        for (int r = 0; r < rows; r++) {
            lanes32 sum = {0};
            for (size_t from = 0; from < t->words; from += RUN) {
                lanes32 bytes = {0};
                for (size_t w = from; w < t->words && w < from + RUN; w++)
                    bytes +=
                        bits_of_bytes(t->row[r][w] ^ (lanes32)cdp_floats_load(item + w * PANEL));
                bytes = (bytes & 0x00FF00FF) + (bytes >> 8 & 0x00FF00FF);
                sum += (bytes & 0xFFFF) + (bytes >> 16);
            }
            cdp_floats score = -__builtin_convertvector((cdp_ints)sum, cdp_floats);
            if (t->score)
                cdp_floats_store(t->score[r] + v * CDP_LANES, score);
            uint64_t here = bits_of(~(score < t->threshold[r].score));
            passed[r] |= here << (v * CDP_LANES);
            any |= passed[r];
        }
    }
    return any;
}

CDP_INLINE float hamming_pair(const uint32_t *x, const uint32_t *y, size_t words)
{
    uint32_t bits = 0;
    for (size_t w = 0; w < words; w++) {
        uint32_t bytes = bits_of_bytes(x[w] ^ y[w] ^ (lanes32){0})[0];
        bits += bytes * UINT32_C(0x01010101) >> 24;
    }
    return -(float)bits;
}

CDP_INLINE int32_t integer_of(float x)
{
    x = x > -0x1p30F ? x : -0x1p30F;
    return (int32_t)(x < 0x1p30F ? x : 0x1p30F);
}

CDP_INLINE void thresholds(const struct cdp_bounds *b, union cdp_threshold *threshold)
{
    const float *radius = b->radius, *error = b->error, *square = b->square;
    float column_radius = b->column_radius, column_error = b->column_error;
    for (size_t i = 0; i < b->count; i++) {
        float most =
            (radius[i] > column_radius ? radius[i] : column_radius) + error[i] + column_error;
        float low = (square[i] * (1 - 0x1p-21F) - most * most * (1 + 0x1p-20F)) * 0.5F - 2;
        threshold[i].product = integer_of(low);
    }
}

CDP_INLINE void project(const float *row, size_t count, size_t dim, const float *directions,
                        size_t width, float *out,
                        cdp_floats (*step)(cdp_floats, cdp_floats, cdp_floats))
{
    enum { BATCH = 4 };
    for (size_t r = 0; r < count; r += BATCH) {
        const float *x[BATCH];
        for (size_t i = 0; i < BATCH; i++)
            x[i] = row + (r + i < count ? r + i : r) * dim;
        for (size_t at = 0; at < width; at += PANEL) {
            cdp_floats sum[BATCH][VECTORS] = {0};
            const float *line = directions + at;
            for (size_t d = 0; d < dim; d++, line += width) {
#pragma GCC unroll 4
                for (int i = 0; i < BATCH; i++) {
                    cdp_floats own = x[i][d] - (cdp_floats){0};
#pragma GCC unroll 4
                    for (size_t v = 0; v < VECTORS; v++)
                        sum[i][v] = step(sum[i][v], own, cdp_floats_load(line + v * CDP_LANES));
                }
            }
            for (size_t i = 0; i < BATCH && r + i < count; i++)
                memcpy(out + (r + i) * width + at, sum[i], sizeof sum[i]);
        }
    }
}

CDP_INLINE void add(uint64_t *list, uint32_t k, uint64_t entry)
{
    uint32_t at = 0, end = k;
    while (at < end) {
        uint32_t middle = (at + end) / 2;
        if (list[middle] < entry)
            at = middle + 1;
        else
            end = middle;
    }
    if (at == k || list[at] == entry)
        return;
    memmove(list + at + 1, list + at, (k - 1 - at) * sizeof *list);
    list[at] = entry;
}

CDP_INLINE void merge_one_by_one(uint64_t *list, uint32_t k, const uint64_t *entries, size_t count)
{
    for (size_t i = 0; i < count; i++)
        add(list, k, entries[i]);
}

// passed[r] = the columns that row r passes with, of `rows` rows, GROUP or HALF. false: none.
typedef bool group_function(const struct cdp_tile *t, uint64_t passed[GROUP], const int rows);

// A tile by groups. The last group, or half of one, is padded with its first row.
CDP_INLINE uint32_t by_groups(const struct cdp_tile *tile, struct cdp_hits *hits,
                              group_function *group)
{
    uint32_t count = 0;
    for (uint32_t first = 0; first < tile->rows; first += GROUP) {
        const uint32_t *row[GROUP];
        int32_t start[GROUP];
        union cdp_threshold threshold[GROUP];
        float score[GROUP][COLUMNS];
        uint64_t columns[GROUP];
        uint32_t left = tile->rows - first, own = left <= HALF ? HALF : GROUP;
        struct cdp_tile t = *tile;
        t.row += first;
        t.start += first;
        t.threshold += first;
        t.score += t.score ? first : 0;
        if (left < own) {
            for (uint32_t r = 0; r < own; r++) {
                row[r] = t.row[r < left ? r : 0];
                start[r] = t.start[r < left ? r : 0];
                threshold[r] = t.threshold[r < left ? r : 0];
            }
            t.row = row;
            t.start = start;
            t.threshold = threshold;
            t.score = t.score ? score : NULL;
        }
        if (!(left <= HALF ? group(&t, columns, HALF) : group(&t, columns, GROUP)))
            continue;
        for (uint32_t r = 0; r < GROUP && r < left; r++) {
            hits[count] = (struct cdp_hits){first + r, columns[r]};
            count += columns[r] != 0;
        }
        if (left < own && t.score)
            memcpy(tile->score + first, score, left * sizeof *score);
    }
    return count;
}

// Instantiates the functions for the instruction set `attribute`.
#define TILE_AND_PAIRS(metric, isa, attribute) \
    TILE(metric, isa, attribute)               \
    PAIRS(metric, isa, attribute)
#define TILE(metric, isa, attribute)                                                          \
    attribute static uint32_t metric##_##isa(const struct cdp_tile *t, struct cdp_hits *hits) \
    {                                                                                         \
        return by_groups(t, hits, metric##_group);                                            \
    }
#define PAIRS(metric, isa, attribute)                                                       \
    attribute static void metric##_pairs_##isa(const uint32_t *x, const uint32_t *const *y, \
                                               size_t count, size_t words, float *out)      \
    {                                                                                       \
        for (size_t i = 0; i < count; i++)                                                  \
            out[i] = metric##_pair(x, y[i], words);                                         \
    }
#define FUNCTIONS(isa, attribute)                                          \
    TILE_AND_PAIRS(l1, isa, attribute)                                     \
    TILE_AND_PAIRS(linf, isa, attribute)                                   \
    TILE_AND_PAIRS(hamming, isa, attribute)                                \
    attribute static void thresholds_##isa(const struct cdp_bounds *b,     \
                                           union cdp_threshold *threshold) \
    {                                                                      \
        thresholds(b, threshold);                                          \
    }

// Instantiates projections by the file's own add_product: sum + x y.
#define PROJECT(isa, attribute)                                                            \
    attribute static void project_##isa(const float *row, size_t count, size_t dim,        \
                                        const float *directions, size_t width, float *out) \
    {                                                                                      \
        project(row, count, dim, directions, width, out, add_product);                     \
    }

#define WORD_BY_WORD         \
    {                        \
        .step = 1, .each = 4 \
    }

// A kernel's metrics: dot products by the given functions, others by those above.
#define METRICS(isa, ...)                                                                \
    {                                                                                    \
        [CDP_COSINE] = __VA_ARGS__, [CDP_ANGULAR] = __VA_ARGS__, [CDP_L2] = __VA_ARGS__, \
        [CDP_L1] = {NULL, l1_##isa, l1_pairs_##isa},                                     \
        [CDP_LINF] = {NULL, linf_##isa, linf_pairs_##isa},                               \
        [CDP_HAMMING] = {NULL, hamming_##isa, hamming_pairs_##isa},                      \
    }

#endif

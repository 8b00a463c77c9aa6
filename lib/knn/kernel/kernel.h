// SPDX-License-Identifier: MIT
#ifndef CDP_KNN_KERNEL_H
#define CDP_KNN_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "stream/stream.h"

// The inner loops of the neighbour search, one set for each instruction set. All give the same
// bits.
//
// An item is 32-bit words: four int8 a word for dot products, a float32 for l1 and linf, 32 bits
// for hamming. A tile is rows x CDP_TILE_COLUMNS columns. Columns are interleaved in panels of 16:
// word w of column c is panel[(c / 16 * words + w) * 16 + c % 16], so that one load takes a word of
// many columns. A row is read as it is, or as the kernel's pack() leaves it.

enum { CDP_TILE_COLUMNS = 64, CDP_PANEL_COLUMNS = 16 };
enum { CDP_TILE_PANELS = CDP_TILE_COLUMNS / CDP_PANEL_COLUMNS };

// Limits of int8 items in tiles, for the 16-bit sums of AVX2. In each chunk of CDP_DOT_CHUNK words,
// bytes 0 and 1 of all words form a vector of length at most CDP_DOT_LENGTH, and so do bytes 2 and
// 3; within a word, |byte 0| + |byte 1| and |byte 2| + |byte 3| are at most CDP_DOT_PAIR. Then no
// partial sum of a product leaves 16 bits (Cauchy-Schwarz: 181^2 < 2^15). Other instruction sets
// would not need these limits, but all must compute the same integers. Items of pairs() only need
// bytes above -128 and a length of at most CDP_DOT_WHOLE (46340^2 < 2^31).
enum { CDP_DOT_CHUNK = 16, CDP_DOT_LENGTH = 181, CDP_DOT_PAIR = 128, CDP_DOT_WHOLE = 46340 };

// Columns of dot products are xored with this: each byte plus 128, unsigned.
#define CDP_DOT_FLIP UINT32_C(0x80808080)

// The least value with which a pair passes: an integer for dot products, otherwise a score.
union cdp_threshold {
    int32_t product;
    float score;
};

struct cdp_tile {
    uint32_t rows;              // how many, at least 1; of each:
    const uint32_t *const *row; // packed, if the kernel has pack()
    const int32_t *start;       // -128 x the sum of the row's bytes; dot products only
    const union cdp_threshold *threshold;
    // Receives the values that are compared with thresholds, dot products below 2^24, for rows that
    // pass; other rows are undefined. NULL: not wanted.
    float (*score)[CDP_TILE_COLUMNS];
    // Of the columns:
    const int32_t *offset; // added to the products of each column; dot products only
    const uint32_t *panel;
    size_t words;
    uint32_t panels; // at least 1; the others may be read, but none of their columns passes
};

// A row of a tile and the columns it passes with: bit c for column c.
struct cdp_hits {
    uint32_t row;
    uint64_t columns;
};

// Writes the rows that pass with any column, ascending, and returns their number. A pair passes if
// its dot product plus the column's offset, or minus its distance, is at least the row's threshold;
// NaN passes. `hits` has room for all rows.
typedef uint32_t cdp_tile_function(const struct cdp_tile *tile, struct cdp_hits *hits);

// out[i] = the dot product of x and y[i], exact below 2^24, or minus their distance.
typedef void cdp_pairs_function(const uint32_t *x, const uint32_t *const *y, size_t count,
                                size_t words, float *out);

// Packs a row of `words` words for the tile function. Returns the number of packed words; with out
// NULL, that only.
typedef size_t cdp_pack_function(const uint32_t *row, size_t words, uint32_t *out);

// Merges entries into an ascending list of k: the k smallest stay, each once.
typedef void cdp_merge_function(uint64_t *list, uint32_t k, const uint64_t *entries, size_t count);

// Rounds to 12 bits, so that products are exact in float32: then FMA rounds as multiplication and
// addition do, and all instruction sets give the same bits.
static inline float cdp_round12(double x)
{
    float value = (float)x;
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    bits = (bits + 0x800) & ~UINT32_C(0xFFF);
    memcpy(&value, &bits, sizeof value);
    return value;
}

// out = rows x directions: count x dim times dim x width numbers of 12 bits. Each sum adds in the
// order of dim. `width` is a multiple of CDP_PANEL_COLUMNS.
typedef void cdp_project_function(const float *row, size_t count, size_t dim,
                                  const float *directions, size_t width, float *out);

// Thresholds of rows for dot products of sketches. A pair may be within the radius of one of its
// lists if |q_v - q_w| <= radius + e_v + e_w, that is if q_v.q_w - q_w.q_w / 2 is at least
// (q_v.q_v - (radius + e_v + e_w)^2) / 2. Rounding is covered by subtracting 2 and about 2^-21 of
// both terms.
struct cdp_bounds {
    const float *radius, *error, *square; // q.q; of `count` rows
    size_t count;
    float column_radius, column_error; // the largest of all columns
};
typedef void cdp_thresholds_function(const struct cdp_bounds *bounds,
                                     union cdp_threshold *threshold);

struct cdp_kernel {
    const char *isa; // its name in CDP_ISA
    struct cdp_metric_kernel {
        cdp_pack_function *pack; // NULL: rows are read as they are
        cdp_tile_function *tile;
        cdp_pairs_function *pairs;
    } metric[CDP_METRICS];
    // Dot products with 32-bit sums, for items within CDP_DOT_WHOLE only, rows not packed; or NULL.
    cdp_tile_function *tile32;
    // Cost of a pair in a tile of dot products: all + each x (words / step, rounded up), in
    // multiply-adds of AVX2, whose cost is {1, 4, 0}.
    struct cdp_tile_cost {
        size_t step;
        double each, all;
    } cost;
    cdp_thresholds_function *thresholds;
    cdp_project_function *project;
    cdp_merge_function *merge;
    // Called by a thread before and after it computes tiles of `words` words; or NULL.
    void (*begin)(size_t words);
    void (*end)(void);
};

extern const struct cdp_kernel cdp_kernel_plain, cdp_kernel_avx2, cdp_kernel_avx512vnni,
    cdp_kernel_amx, cdp_kernel_neon, cdp_kernel_dotprod, cdp_kernel_i8mm;

// The kernel for the instruction set that cdp_isa() returns. Thread-safe.
const struct cdp_kernel *cdp_kernel(void);

static inline void cdp_kernel_begin(const struct cdp_kernel *kernel, size_t words)
{
    if (kernel->begin)
        kernel->begin(words);
}

static inline void cdp_kernel_end(const struct cdp_kernel *kernel)
{
    if (kernel->end)
        kernel->end();
}

#endif

// SPDX-License-Identifier: MIT
#ifndef CDP_KNN_KERNEL_H
#define CDP_KNN_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "stream/stream.h"

// The inner loops of the neighbour search, for each instruction set.
//
// Items are of 32-bit words: four signed bytes a word for the dot product, a float32 for l1 and
// linf, 32 bits for hamming. A tile is any number of rows x CDP_TILE_COLUMNS columns. Columns
// stand in panels, interleaved by sixteens: word w of column c is panel[(c / 16 * words + w) * 16
// + c % 16], so that one load takes a word of many columns. A row is read as it is, or as the
// kernel lays it out.

enum { CDP_TILE_COLUMNS = 64, CDP_PANEL_COLUMNS = 16 };
enum { CDP_TILE_PANELS = CDP_TILE_COLUMNS / CDP_PANEL_COLUMNS };

// Bytes of the dot product that 16-bit sums may hold: in each run of CDP_DOT_CHUNK words, bytes
// 0 and 1 of the words, and bytes 2 and 3, are a vector of length at most CDP_DOT_LENGTH; and the
// magnitudes of bytes 0 and 1, and of 2 and 3, of a word are together at most CDP_DOT_PAIR. Then
// no partial sum of a product of two items leaves 16 bits (Cauchy-Schwarz). Items of which
// only pairs are made may leave these limits, but no byte is -128, and the whole item is a vector
// of length at most CDP_DOT_WHOLE, so that no product leaves 32 bits.
enum { CDP_DOT_CHUNK = 16, CDP_DOT_LENGTH = 181, CDP_DOT_PAIR = 128, CDP_DOT_WHOLE = 46340 };

// What a column's word is xored with in the panel of a dot product: bytes plus 128, unsigned.
#define CDP_DOT_FLIP UINT32_C(0x80808080)

// What a pair must reach to pass: an integer for dot products, else a score.
union cdp_threshold {
    int32_t product;
    float score;
};

struct cdp_tile {
    uint32_t rows;              // how many, at least 1; of each:
    const uint32_t *const *row; // as laid out by lay(), where there is one
    const int32_t *start;       // dot products: -128 x the sum of the row's bytes
    const union cdp_threshold *bar;
    // Of rows that pass, what is compared with the bars, in a dot product below 2^24; or NULL. Of
    // other rows anything may be written.
    float (*score)[CDP_TILE_COLUMNS];
    // Of the columns:
    const int32_t *offset; // dot products: what is added to the products of each column
    const uint32_t *panel;
    size_t words;
    uint32_t panels; // at least 1: no column of the other panels, which may be read, passes
};

// A row of a tile that passes: that has columns, bit c for column c, with which it does.
struct cdp_hits {
    uint32_t row;
    uint64_t columns;
};

// Which rows pass, ascending; returns how many. A pair passes if the dot product of row and column,
// plus the column's offset, is at least the row's bar; or if minus their distance is, or is not a
// number. `passed` has room for all rows.
typedef uint32_t cdp_tile_function(const struct cdp_tile *tile, struct cdp_hits *passed);

// out[i] = the dot product of items x and y[i], exact below 2^24, or minus their distance.
typedef void cdp_pairs_function(const uint32_t *x, const uint32_t *const *y, size_t count,
                                size_t words, float *out);

// Lays a row of `words` words out for a tile function that cannot read it as it is; returns the
// number of words that it takes there. With out NULL, only that.
typedef size_t cdp_pack_function(const uint32_t *row, size_t words, uint32_t *out);

// Adds entries to an ascending list of k: the k smallest stay, each once.
typedef void cdp_merge_function(uint64_t *list, uint32_t k, const uint64_t *entries, size_t count);

// A number in 12 bits, of which the product of two is exact in single precision.
static inline float cdp_round12(double x)
{
    float value = (float)x;
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    bits = (bits + 0x800) & ~UINT32_C(0xFFF);
    memcpy(&value, &bits, sizeof value);
    return value;
}

// out = rows x directions: `count` rows of `dim` numbers, each `width` numbers long in `out`, and
// `dim` lines of `width` numbers, which all are short. Each sum is in the order of the lines, so
// that all instruction sets give the same bits. `width` is a multiple of CDP_PANEL_COLUMNS.
typedef void cdp_project_function(const float *row, size_t count, size_t dim,
                                  const float *directions, size_t width, float *out);

// The bars of rows whose lists reach so far, and whose sketches are off by `error`, with columns
// that reach so far, and are off by so much, at most. With |q_v - q_w| <= reach + e_v + e_w a pair
// may matter, so q_v.q_w - q_w.q_w / 2 is at least (q_v.q_v - (reach + e_v + e_w)^2) / 2, less 2
// and 2^-22 of what is taken apart for rounding. The same bits by all instruction sets.
struct cdp_row_bounds {
    const float *reach, *error, *square; // of `count` rows
    size_t count;
    float most_reach, most_error; // of columns
};
typedef void cdp_thresholds_function(const struct cdp_row_bounds *asking, union cdp_threshold *bar);

struct cdp_kernel {
    const char *isa; // "amx", "avx512vnni", "avx2" or "plain"
    struct cdp_metric_kernel {
        cdp_pack_function *lay; // NULL: rows are read as they are
        cdp_tile_function *tile;
        cdp_pairs_function *pairs;
    } metric[CDP_HAMMING + 1];
    // Tiles of dot products in sums of 32 bits, of items that may leave the limits of those of 16,
    // and of rows as they are; or NULL.
    cdp_tile_function *whole;
    // What a pair costs in a tile of dot products, in multiply-adds of the kernels that multiply
    // word after word, for which it is {1, 4, 0}: `each` for each `step` words that are begun, and
    // `all`.
    struct cdp_tile_cost {
        size_t step;
        double each, all;
    } cost;
    cdp_thresholds_function *bars;
    cdp_project_function *project;
    cdp_merge_function *merge;
    // What a thread calls before it computes tiles of so many words, and after them; or NULL.
    void (*begin)(size_t words);
    void (*end)(void);
};

extern const struct cdp_kernel cdp_kernel_plain, cdp_kernel_avx2, cdp_kernel_avx512vnni,
    cdp_kernel_amx;

// The kernel of the instruction set that cdp_isa() names. Thread-safe.
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

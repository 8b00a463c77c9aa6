// SPDX-License-Identifier: MIT
#ifndef CDP_KERNEL_H
#define CDP_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stream/stream.h"

// The inner loops of the neighbour search, for each instruction set.
//
// The fast pass works on items of 32-bit words: four signed bytes a word for the dot product, a
// float32 for l1 and linf, 32 bits for hamming. It scores a tile of CDP_TILE_ROWS rows x
// CDP_TILE_COLUMNS columns at a time. Columns stand in a panel, interleaved by sixteens: word w of
// column c is panel[(c / 16 * words + w) * 16 + c % 16], so that one load takes a word of many
// columns. A row is read as it is, or as the kernel lays it out.

enum { CDP_TILE_ROWS = 6, CDP_TILE_COLUMNS = 64, CDP_PANEL_COLUMNS = 16 };

// Bytes of the dot product that 16-bit sums may hold: in each run of CDP_DOT_CHUNK words, bytes
// 0 and 1 of the words, and bytes 2 and 3, are a vector of length at most CDP_DOT_LENGTH; and the
// magnitudes of bytes 0 and 1, and of 2 and 3, of a word are together at most CDP_DOT_PAIR. Then
// no partial sum of a product of two items leaves 16 bits (Cauchy-Schwarz). The whole item is a
// vector of length at most CDP_DOT_WHOLE, so that no product leaves 32 bits.
enum { CDP_DOT_CHUNK = 16, CDP_DOT_LENGTH = 181, CDP_DOT_PAIR = 128, CDP_DOT_WHOLE = 46340 };

// What a column's word is xored with in the panel of a dot product: bytes plus 128, unsigned.
#define CDP_DOT_FLIP UINT32_C(0x80808080)

struct cdp_tile {
    const uint32_t *row[CDP_TILE_ROWS]; // as laid out by lay(), where there is one
    int32_t start[CDP_TILE_ROWS];       // dot products: -128 x the sum of the row's bytes
    float bar[CDP_TILE_ROWS]; // dot products: what a product x scale[] reaches if it matters
    const float *scale;       // of the columns
    const uint32_t *panel;
    size_t words;
};

// out = the dot product, exact below 2^24; or minus the distance. Larger is nearer. Where no
// product of a row reaches its bar, the result may be false, and nothing in out.
typedef bool cdp_tile_function(const struct cdp_tile *tile,
                               float out[CDP_TILE_ROWS][CDP_TILE_COLUMNS]);

// Lays a row of `words` words out for a tile function that cannot read it as it is; returns the
// number of words that it takes there. With out NULL, only that.
typedef size_t cdp_lay_function(const uint32_t *row, size_t words, uint32_t *out);

// What decides whether the pair of a row and a column may matter to either of them:
//   product x (row_scale x scale) + offset  >=  min(row_least, least) + row_offset
// or not a number.
struct cdp_test {
    const float *scale, *offset, *least; // of the columns
    float row_scale, row_offset, row_least;
};

// Bit c of the result: whether column c passes.
typedef uint64_t cdp_test_function(const struct cdp_test *test,
                                   const float product[CDP_TILE_COLUMNS]);

// Adds an entry to an ascending list of k, unless it is there or larger than all that are; the
// largest leaves.
typedef void cdp_add_function(uint64_t *list, uint32_t k, uint64_t entry);

struct cdp_kernel {
    const char *isa; // "avx512vnni", "avx2" or "plain"
    struct cdp_metric_kernel {
        cdp_lay_function *lay; // NULL: rows are read as they are
        cdp_tile_function *tile;
    } metric[CDP_HAMMING + 1];
    cdp_test_function *test;
    cdp_add_function *add;
};

// The kernel of the instruction set that cdp_isa() names. Thread-safe.
const struct cdp_kernel *cdp_kernel(void);

#endif

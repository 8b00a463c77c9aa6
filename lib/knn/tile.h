// SPDX-License-Identifier: MIT
#ifndef CDP_TILE_H
#define CDP_TILE_H

#include <stddef.h>
#include <stdint.h>

#include "stream/stream.h"

// The single-precision pass, a tile of CDP_TILE_ROWS queries x one panel of CDP_TILE_COLUMNS items
// at a time.
//
// A panel holds its items interleaved, panel[d * CDP_TILE_COLUMNS + c] being number d of item c, so
// that one vector load takes a number of many items. A query is a row of numbers. Where the metric
// is hamming, the "numbers" are 64-bit words.

enum { CDP_TILE_ROWS = 6, CDP_TILE_COLUMNS = 16 };

typedef void cdp_tile_function(const void *const query[CDP_TILE_ROWS], const void *panel,
                               size_t dim, float out[CDP_TILE_ROWS][CDP_TILE_COLUMNS]);

// The function for a metric: out = the dot product for cosine, angular and l2; for the others the
// distance, negated. So larger is nearer.
cdp_tile_function *cdp_tile(enum cdp_metric metric);

// The instruction set in use: see cdp_knn_isa.
const char *cdp_tile_isa(void);

#endif

// SPDX-License-Identifier: MIT
#ifndef CDP_BLOCK_H
#define CDP_BLOCK_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "stream/header.h"

// The columns of a block as bytes (cdp-stream(5)).

// A block's header, which precedes its data.
struct cdp_announce {
    uint32_t edges, runs, raw_size, data_size;
    uint64_t first_source;
    uint64_t content; // XXH64 of the raw data
    uint64_t data;    // XXH64 of the compressed data
};

struct cdp_edges {
    size_t count;
    uint64_t *source, *target; // CDP_BLOCK_EDGES each
    float **value;             // value[column][edge]
    uint64_t *scratch;         // CDP_BLOCK_EDGES + 1
    unsigned columns;
    uint64_t top;         // largest id
    float floor, ceiling; // of the first column
};

int cdp_edges_init(struct cdp_edges *edges, unsigned columns, struct cdp_err *err);
void cdp_edges_free(struct cdp_edges *edges);

// Upper bound of the bytes of a block's raw data.
size_t cdp_raw_bound(size_t edges, unsigned columns);

// The ends of the planes in the raw data; each plane is compressed with statistics of its own.
struct cdp_cuts {
    unsigned count;
    uint32_t end[64 + 4 * CDP_MAX_COLUMNS + CDP_MAX_COLUMNS];
};

// Encodes the edges into `raw` (capacity: cdp_raw_bound). Sets the announcement's edges, runs,
// raw_size and first_source, and the edges' floor, ceiling and top.
void cdp_block_encode(enum cdp_type type, struct cdp_edges *edges, unsigned char *raw,
                      struct cdp_announce *announce, struct cdp_cuts *cuts);

// Decodes raw data. Checks everything that the type promises within a block, and that ids are below
// `limit`. The error does not name the file and the block.
int cdp_block_decode(enum cdp_type type, struct cdp_edges *edges, const unsigned char *raw,
                     const struct cdp_announce *announce, uint64_t limit, struct cdp_err *err);

#endif

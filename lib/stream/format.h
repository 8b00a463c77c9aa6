// SPDX-License-Identifier: MIT
#ifndef CDP_FORMAT_H
#define CDP_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "stream/stream.h"

// The bytes of cdp-stream(5), shared by reader and writer.

enum {
    CDP_FRAME_MAGIC = 0x184D2A5C, // a zstd skippable frame
    CDP_FORMAT_VERSION = 2,
    CDP_FRAME_HEAD = 12, // magic, size, "cdp" and the kind
    CDP_FRAME_SUM = 8,   // XXH64 of all before it
    CDP_MAX_PROVENANCE = 1 << 20,
    CDP_MAX_FRAME = (2 << 20),
    CDP_MAX_LEVEL = 19,
};

// A block's announcement.
struct cdp_announce {
    uint32_t edges, runs, raw_size, data_size;
    uint64_t first_source;
    uint64_t content; // XXH64 of the raw data
    uint64_t data;    // XXH64 of the compressed data
};

// The announcement of a part of the names.
struct cdp_announce_names {
    uint32_t names, raw_size, data_size;
    uint64_t content, data; // XXH64 of the raw and of the compressed data
};

// Frames as bytes. The writers return the number of bytes put in `bytes`, which has room for
// CDP_MAX_FRAME; the parsers take the fields between CDP_FRAME_HEAD and CDP_FRAME_SUM and return 0,
// or -1 where the fields contradict each other or the format, saying how in err (without the file).
size_t cdp_frame_header(unsigned char *bytes, const struct cdp_header *header);
size_t cdp_frame_announce(unsigned char *bytes, const struct cdp_announce *announce);
size_t cdp_frame_names(unsigned char *bytes, const struct cdp_announce_names *announce);
size_t cdp_frame_end(unsigned char *bytes, const struct cdp_totals *totals);
int cdp_parse_header(struct cdp_header *header, unsigned *version, const unsigned char *fields,
                     size_t size, struct cdp_err *err);
int cdp_parse_announce(struct cdp_announce *announce, unsigned columns, const unsigned char *fields,
                       size_t size, struct cdp_err *err);
int cdp_parse_names(struct cdp_announce_names *announce, const unsigned char *fields, size_t size,
                    struct cdp_err *err);
int cdp_parse_end(struct cdp_totals *totals, unsigned version, const unsigned char *fields,
                  size_t size, struct cdp_err *err);

// The content digest: begun empty, one call a block, then sealed with what the header and the end
// mark say.
struct XXH64_state_s;
void cdp_digest_block(struct XXH64_state_s *state, const struct cdp_announce *announce);
uint64_t cdp_digest_seal(struct XXH64_state_s *state, const struct cdp_header *header,
                         const struct cdp_totals *totals);

// ---- names

enum { CDP_NAMES_RAW = 1 << 20 }; // most bytes of the raw data of a part of the names

// Lays as many names from `first` on into `raw` (room: CDP_NAMES_RAW) as it holds, and fills the
// announcement's names and raw_size.
void cdp_names_encode(const struct cdp_names *names, uint64_t first, unsigned char *raw,
                      struct cdp_announce_names *announce);

// Adds the names of raw data. The error says what is wrong, without the file and the part.
int cdp_names_decode(struct cdp_names *names, const unsigned char *raw,
                     const struct cdp_announce_names *announce, struct cdp_err *err);

// ---- the columns of a block

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

// Most bytes that the raw data of a block can have.
size_t cdp_raw_bound(size_t edges, unsigned columns);

// Where a raw block's planes end, so that each can be compressed with statistics of its own.
struct cdp_cuts {
    unsigned count;
    uint32_t end[64 + 4 * CDP_MAX_COLUMNS + CDP_MAX_COLUMNS];
};

// Encodes the edges into `raw` (room: cdp_raw_bound) and fills the announcement's edges, runs,
// raw_size and first_source, and the edges' floor, ceiling and top.
void cdp_block_encode(enum cdp_type type, struct cdp_edges *edges, unsigned char *raw,
                      struct cdp_announce *announce, struct cdp_cuts *cuts);

// Decodes raw data, checking everything that the type promises inside a block and that ids are
// below `limit`. The error says what is wrong, without the file and the block.
int cdp_block_decode(enum cdp_type type, struct cdp_edges *edges, const unsigned char *raw,
                     const struct cdp_announce *announce, uint64_t limit, struct cdp_err *err);

#endif

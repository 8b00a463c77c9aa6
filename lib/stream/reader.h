// SPDX-License-Identifier: MIT
#ifndef CDP_READER_H
#define CDP_READER_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "io/input.h"
#include "io/names.h"
#include "stream/header.h"

// Reads an edge stream.

// Decoded edges, in the stream's order; valid until the next call.
struct cdp_block {
    size_t edges;
    const uint64_t *source;
    const uint64_t *target;
    const float *const *value; // value[column][edge]
};

struct cdp_reader;

// Opens a stream by name. `types` is a set of 1 << enum cdp_type; a stream of another type is an
// error that quotes `wanted` ("cdp-score vote reads knn streams"). Concatenated streams are read as
// one; they must have the same type, metric, scale and columns, and all or none have names. Every
// property that cdp-stream(5) promises is checked before a block is returned.
int cdp_reader_open(struct cdp_reader **reader, const char *name, unsigned types,
                    const char *wanted, int threads, struct cdp_err *err);

// The same for an open input; takes ownership of it, on failure too.
int cdp_reader_open_input(struct cdp_reader **reader, struct cdp_input *input, unsigned types,
                          const char *wanted, int threads, struct cdp_err *err);

// 1 if the input's next bytes are those of an edge stream, otherwise 0; -1 on a read error.
int cdp_reader_sniff(struct cdp_input *input, struct cdp_err *err);

// The first stream's header.
const struct cdp_header *cdp_reader_header(const struct cdp_reader *reader);
const char *cdp_reader_name(const struct cdp_reader *reader);

// The next block: 1, or 0 at the end of a complete stream, or -1.
int cdp_reader_next(struct cdp_reader *reader, struct cdp_block *block, struct cdp_err *err);

// The content of the end mark, once next returned 0; over all concatenated streams, whose digests
// are hashed together in order.
const struct cdp_totals *cdp_reader_totals(const struct cdp_reader *reader);

// The names of the nodes, once next returned 0; NULL = the stream has none. For concatenated
// streams, the names of the one with the most nodes; those of the others are prefixes.
const struct cdp_names *cdp_reader_names(const struct cdp_reader *reader);

// The same; the caller takes ownership.
struct cdp_names *cdp_reader_take_names(struct cdp_reader *reader);
void cdp_reader_close(struct cdp_reader *reader);

#endif

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

// Opens a stream by name. `types` is a set of 1 << enum cdp_type: a stream of another type is an
// error that names `wanted` ("cdp-score vote reads knn streams"). Streams laid end to end are read
// as one; they must be of one type, metric, scale and column schema, and all or none named. Every
// property that cdp-stream(5) promises is checked before a block is handed out.
int cdp_reader_open(struct cdp_reader **reader, const char *name, unsigned types,
                    const char *wanted, int threads, struct cdp_err *err);

// The same on an input that is open already, and becomes the reader's, on failure too.
int cdp_reader_open_input(struct cdp_reader **reader, struct cdp_input *input, unsigned types,
                          const char *wanted, int threads, struct cdp_err *err);

// True where the input's next bytes look like an edge stream; -1 on a read error.
int cdp_reader_sniff(struct cdp_input *input, struct cdp_err *err);

// The first stream's header.
const struct cdp_header *cdp_reader_header(const struct cdp_reader *reader);
const char *cdp_reader_name(const struct cdp_reader *reader);

// The next block: 1 = there is one, 0 = the stream ended whole, -1 = error.
int cdp_reader_next(struct cdp_reader *reader, struct cdp_block *block, struct cdp_err *err);

// What the end mark said, once next returned 0; over all streams laid end to end (their digests in
// order, hashed together, where there are several).
const struct cdp_totals *cdp_reader_totals(const struct cdp_reader *reader);

// The names of the nodes, once next returned 0; NULL = the stream has none. Of streams laid end to
// end these are the names of the one with the most nodes, which the others' names must begin.
const struct cdp_names *cdp_reader_names(const struct cdp_reader *reader);

// The same, which then belong to the caller.
struct cdp_names *cdp_reader_take_names(struct cdp_reader *reader);
void cdp_reader_close(struct cdp_reader *reader);

#endif

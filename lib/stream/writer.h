// SPDX-License-Identifier: MIT
#ifndef CDP_WRITER_H
#define CDP_WRITER_H

#include <stdint.h>

#include "base/err.h"
#include "io/names.h"
#include "io/output.h"
#include "stream/header.h"

// Writes an edge stream.
struct cdp_writer;

// Writes the header (copied) to `output`, which stays the caller's. A filter sets `nodes` of a
// header that it copies: 0 stands for one more than the largest id, and the input's number is then
// known from its totals. `threads` as cdp_threads()
// takes it; the bytes do not depend on it. Memory: about 3 MB per thread.
int cdp_writer_open(struct cdp_writer **writer, struct cdp_output *output,
                    const struct cdp_header *header, int level, int threads, struct cdp_err *err);

// Adds an edge with header.columns values. Errors: an id not below nodes, an edge to itself, a
// value that is not finite, an order that the type forbids (knn: sources must not descend; others:
// i < j, pairs ascending).
int cdp_writer_add(struct cdp_writer *writer, uint64_t source, uint64_t target, const float *values,
                   struct cdp_err *err);

// Adds `count` edges of a source to a stream of one column, like cdp_writer_add for each.
int cdp_writer_add_row(struct cdp_writer *writer, uint64_t source, const uint32_t *target,
                       const float *value, uint32_t count, struct cdp_err *err);

// Sets the names of a stream whose header says `named`, one per node. Borrowed until the stream is
// finished.
void cdp_writer_names(struct cdp_writer *writer, const struct cdp_names *names);

// Sets the floor in the end mark of a forest.
void cdp_writer_floor(struct cdp_writer *writer, float floor);

// Writes what is left and the end mark. `totals` may be NULL.
int cdp_writer_finish(struct cdp_writer *writer, struct cdp_totals *totals, struct cdp_err *err);
void cdp_writer_free(struct cdp_writer *writer);

#endif

// SPDX-License-Identifier: MIT
#ifndef CDP_SOURCE_H
#define CDP_SOURCE_H

#include "stream/reader.h"

// Pairs from an edge stream, or from text of three columns; the content decides.
struct cdp_source;

// Opens by name; `types` and `wanted` as for cdp_reader_open. An empty standard input is an error,
// since a failed program leaves an empty pipe, and so is an empty file with the name *.cdp, since a
// stream has a header and an end mark. Any other empty file has no pairs.
int cdp_source_open(struct cdp_source **source, const char *name, unsigned types,
                    const char *wanted, int threads, struct cdp_err *err);
void cdp_source_close(struct cdp_source *source);

// The name for error messages; valid until the close.
const char *cdp_source_name(const struct cdp_source *source);

// As cdp_reader_next.
int cdp_source_next(struct cdp_source *source, struct cdp_block *block, struct cdp_err *err);

// The number of pairs of an item with itself in text so far; they are dropped.
uint64_t cdp_source_self_pairs(const struct cdp_source *source);

// The stream's reader; NULL for text.
struct cdp_reader *cdp_source_reader(const struct cdp_source *source);

#endif

// SPDX-License-Identifier: MIT
#ifndef CDP_TSV_H
#define CDP_TSV_H

#include <stdbool.h>

#include "base/err.h"
#include "io/input.h"
#include "stream/stream.h"

// Edges as text: two ids and a value a line, between tabs or blanks; empty lines and lines that
// begin with # are passed over; CR LF is taken for LF. Edges come as they stand: any order, repeats
// too.
struct cdp_tsv;

// The input becomes the reader's, on failure too.
int cdp_tsv_open(struct cdp_tsv **tsv, struct cdp_input *input, bool scored, struct cdp_err *err);

// As cdp_reader_next. Errors name the line: a missing or further field, an id that is no whole
// number below 2^63, a value that is not finite, an edge from a node to itself.
int cdp_tsv_next(struct cdp_tsv *tsv, struct cdp_block *block, struct cdp_err *err);
void cdp_tsv_close(struct cdp_tsv *tsv);

#endif

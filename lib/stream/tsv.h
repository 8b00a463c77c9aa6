// SPDX-License-Identifier: MIT
#ifndef CDP_TSV_H
#define CDP_TSV_H

#include <stdbool.h>

#include "base/err.h"
#include "io/input.h"
#include "io/names.h"
#include "stream/stream.h"

// Edges as text, one per line: columns of two ids and a score. The separator is a tab if the first
// line has one, otherwise blanks; in CSV a comma. Empty lines are skipped, and lines that begin
// with # in files of numbers, but not in CSV. Edges may be in any order and repeated; those of an
// item with itself are dropped and counted.
//
// With chosen columns, others may be present; without, there must be exactly these. The first line
// is a header line if columns are chosen by name (then it is required), or if its score is a word
// that does not mean a missing number and no id is a number.
struct cdp_text_form {
    // Columns of the ids and the score: "2", or a name in the header line. Without a third column
    // the score is 1. All NULL: the first columns, and no others.
    const char *column[3];
    bool csv;                // commas between fields, which may be quoted (RFC 4180)
    bool unscored;           // no column of scores
    struct cdp_names *names; // ids are names, separated by tabs or commas; NULL = numbers
    bool known;              // a new name is an error; otherwise it is added
    bool automatic;          // if any id is not a number, all ids are names
    bool named;              // with automatic: an earlier id was not a number
};

// Counts of skipped lines.
struct cdp_text_notes {
    uint64_t self_pairs; // edges of an item with itself
    uint64_t head_lines; // header lines
};

struct cdp_tsv;

// Takes ownership of the input, on failure too. The form is copied; its texts and names must
// outlive the reader.
int cdp_tsv_open(struct cdp_tsv **tsv, struct cdp_input *input, const struct cdp_text_form *form,
                 struct cdp_err *err);

// As cdp_reader_next. Errors name the line: a missing or excess field, an id that is neither a
// whole number below 2^63 nor a name, a value that is not finite, an unterminated quote. With an
// automatic form, 2 means that an id is a name and the block is empty: before the next call the
// caller must replace all earlier numbers by names, which are their digits.
int cdp_tsv_next(struct cdp_tsv *tsv, struct cdp_block *block, struct cdp_err *err);

// Of the lines read so far.
const struct cdp_text_notes *cdp_tsv_notes(const struct cdp_tsv *tsv);
void cdp_tsv_close(struct cdp_tsv *tsv);

#endif

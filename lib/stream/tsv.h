// SPDX-License-Identifier: MIT
#ifndef CDP_TSV_H
#define CDP_TSV_H

#include <stdbool.h>

#include "base/err.h"
#include "io/input.h"
#include "io/names.h"
#include "stream/stream.h"

// Edges as text, a line each, from any system: columns of two ids and a score. Between columns
// there is one tab where the first line has one, else blanks; in CSV a comma. Empty lines are
// passed over, and in files of numbers lines that begin with #, but not in CSV. Edges come as they
// are, in any order, repeats too; those of an item with itself are left out and counted.
//
// Where columns are chosen, there may be others; without, there must be these alone. The first line
// is a header line where columns are chosen by name, which it must have then, or where its score is a
// word that does not mean a missing number, and no id is a number.
struct cdp_text_form {
    // The columns of the ids and the score: "2", or a name of the header line. Without a third there
    // is no score, and it is 1. All NULL: the first ones, and no others.
    const char *column[3];
    bool csv;                // commas between fields, which may be quoted (RFC 4180)
    bool unscored;           // there is no column of scores
    struct cdp_names *names; // ids are names, between tabs or commas; NULL: numbers
    bool known;              // a name that is not among them is an error; otherwise it is added
    bool automatic;          // ids are numbers until one is none; then all of them are names
    bool named;              // with automatic: one before was none
};

// What was passed over.
struct cdp_text_notes {
    uint64_t self_pairs; // edges of an item with itself
    uint64_t head_lines; // first lines without numbers
};

struct cdp_tsv;

// The input becomes the reader's, on failure too. The form is copied; its texts and names must
// outlive the reader.
int cdp_tsv_open(struct cdp_tsv **tsv, struct cdp_input *input, const struct cdp_text_form *form,
                 struct cdp_err *err);

// As cdp_reader_next. Errors name the line: a missing or further field, an id that is no whole
// number below 2^63 or no name, a value that is not finite, a quote that does not end. With an
// automatic form, 2 means that an id is a name: before the next call the caller must turn all
// earlier numbers into names, which are their digits. This block is empty.
int cdp_tsv_next(struct cdp_tsv *tsv, struct cdp_block *block, struct cdp_err *err);

// Of the lines that were read so far.
const struct cdp_text_notes *cdp_tsv_notes(const struct cdp_tsv *tsv);
void cdp_tsv_close(struct cdp_tsv *tsv);

#endif

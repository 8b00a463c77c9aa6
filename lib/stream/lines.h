// SPDX-License-Identifier: MIT
#ifndef CDP_LINES_H
#define CDP_LINES_H

#include <stdbool.h>

#include "base/err.h"
#include "io/input.h"

// Text files of one record a line: lines, and the fields of a line. CR LF counts as LF,
// after several CR too. A byte order mark is skipped, and files of another kind are refused, as by
// cdp_input_text.
struct cdp_lines;

// What is between fields: a comma, fields being quoted as in RFC 4180, so that a record may have
// line breaks; one tab; or blanks and tabs, as many as there are.
enum cdp_separator { CDP_COMMAS, CDP_TABS, CDP_BLANKS };

struct cdp_field {
    char *at; // not ended by NUL
    size_t length;
};

// The input becomes the reader's, on failure too. Memory: the longest record, 256 MiB at most.
int cdp_lines_open(struct cdp_lines **lines, struct cdp_input *input, bool csv,
                   struct cdp_err *err);
void cdp_lines_close(struct cdp_lines *lines);

const char *cdp_lines_name(const struct cdp_lines *lines);

// The next record without its end, valid until the next call: 1, or 0 at the end, or -1. In CSV a
// carriage return is allowed at the end of a line and in quotes only.
int cdp_lines_next(struct cdp_lines *lines, struct cdp_field *record, struct cdp_err *err);

// The line at which the record begins, counted from 1.
uint64_t cdp_lines_number(const struct cdp_lines *lines);

// Takes the first field off the rest of a record, its quotes taken away in place; *last where it
// is the record's last one. Fails where a quoted field is followed by neither a separator nor the
// end.
int cdp_lines_field(const struct cdp_lines *lines, enum cdp_separator separator,
                    struct cdp_field *rest, struct cdp_field *field, bool *last,
                    struct cdp_err *err);

// "FILE: line N: expected WANTED, got 'TEXT'".
int cdp_lines_fail(const struct cdp_lines *lines, const char *wanted, const struct cdp_field *field,
                   struct cdp_err *err);

#endif

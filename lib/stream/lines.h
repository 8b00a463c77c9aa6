// SPDX-License-Identifier: MIT
#ifndef CDP_LINES_H
#define CDP_LINES_H

#include <stdbool.h>

#include "base/err.h"
#include "io/input.h"

// Text files with one record per line, and the fields of a record. CR LF counts as LF, also after
// several CR. A byte order mark is skipped; other formats are refused, as by cdp_input_text.
struct cdp_lines;

// Separators: commas, with quoted fields as in RFC 4180, so a record may span lines; one tab; or
// any number of blanks and tabs.
enum cdp_separator { CDP_COMMAS, CDP_TABS, CDP_BLANKS };

struct cdp_field {
    char *at; // not NUL-terminated
    size_t length;
};

// Takes ownership of the input, on failure too. Memory: the longest record, at most 256 MiB.
int cdp_lines_open(struct cdp_lines **lines, struct cdp_input *input, bool csv,
                   struct cdp_err *err);
void cdp_lines_close(struct cdp_lines *lines);

const char *cdp_lines_name(const struct cdp_lines *lines);

// Returns the next record without its line end, valid until the next call: 1, or 0 at the end, or
// -1. In CSV a carriage return is allowed at the end of a line and in quotes only.
int cdp_lines_next(struct cdp_lines *lines, struct cdp_field *record, struct cdp_err *err);

// The number of the line at which the record begins, from 1.
uint64_t cdp_lines_number(const struct cdp_lines *lines);

// Splits the first field off the rest of a record and unquotes it in place. *last: it is the last
// field. Fails if a quoted field is followed by neither a separator nor the end.
int cdp_lines_field(const struct cdp_lines *lines, enum cdp_separator separator,
                    struct cdp_field *rest, struct cdp_field *field, bool *last,
                    struct cdp_err *err);

// "FILE: line N: expected WANTED, got 'TEXT'".
int cdp_lines_fail(const struct cdp_lines *lines, const char *wanted, const struct cdp_field *field,
                   struct cdp_err *err);

#endif

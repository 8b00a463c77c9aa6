// SPDX-License-Identifier: MIT
#include "stream/lines.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { FIRST_ROOM = 1 << 18, MOST_ROOM = 1 << 28 };

struct cdp_lines {
    struct cdp_input *input;
    bool csv;
    uint64_t number; // of the current record
    uint64_t next;   // of the next one
    char *text;
    size_t room, start, end; // text[start] .. text[end - 1] is read, not yet returned
    bool ended;              // end of the input was reached
    bool plain;              // the text read has no quote and no carriage return
};

int cdp_lines_open(struct cdp_lines **lines, struct cdp_input *input, bool csv, struct cdp_err *err)
{
    struct cdp_lines *l = cdp_zalloc(1, sizeof *l, "text buffer", err);
    *lines = l;
    if (!l) {
        cdp_input_close(input);
        return -1;
    }
    l->input = input;
    l->csv = csv;
    l->next = 1;
    if (!cdp_input_text(input, err))
        return 0;
    cdp_lines_close(l);
    *lines = NULL;
    return -1;
}

void cdp_lines_close(struct cdp_lines *l)
{
    if (l) {
        cdp_input_close(l->input);
        free(l->text);
    }
    free(l);
}

const char *cdp_lines_name(const struct cdp_lines *l)
{
    return cdp_input_name(l->input);
}

uint64_t cdp_lines_number(const struct cdp_lines *l)
{
    return l->number;
}

int cdp_lines_fail(const struct cdp_lines *l, const char *wanted, const struct cdp_field *field,
                   struct cdp_err *err)
{
    return cdp_fail_line(err, cdp_lines_name(l), l->number, wanted, field->at, field->length);
}

// Appends more of the input to the text.
static int refill(struct cdp_lines *l, struct cdp_err *err)
{
    if (l->start)
        memmove(l->text, l->text + l->start, l->end - l->start);
    l->end -= l->start;
    l->start = 0;
    if (l->end == l->room) {
        if (l->room == MOST_ROOM)
            return cdp_fail(err, "%s: line %llu: longer than %d MiB", cdp_lines_name(l),
                            (unsigned long long)l->next, MOST_ROOM >> 20);
        if (cdp_grow(&l->text, &l->room, l->room ? 2 * l->room : FIRST_ROOM, 1, "a line", err))
            return -1;
    }
    ssize_t count = cdp_input_read(l->input, l->text + l->end, l->room - l->end, err);
    if (count < 0)
        return -1;
    l->ended = (size_t)count < l->room - l->end;
    l->end += (size_t)count;
    l->plain = !l->end || (!memchr(l->text, '"', l->end) && !memchr(l->text, '\r', l->end));
    return 0;
}

// The end of a record with quotes: the first line break outside quoted fields, or NULL. *breaks
// counts the line breaks before it. *open: a quoted field has no end. *returns: a carriage return
// outside quoted fields is not before the line break.
static char *quoted_end(char *at, const char *end, bool *open, bool *returns, uint64_t *breaks)
{
    bool opens = true; // a quote here begins a quoted field or doubles the one before
    *open = *returns = false;
    *breaks = 0;
    for (; at < end; at++) {
        if (*open) {
            *open = *at != '"';
            *breaks += *at == '\n';
            opens = !*open;
        } else if (*at == '\n') {
            return at;
        } else {
            *returns |= *at == '\r' && at + 1 < end && at[1] != '\n' && at[1] != '\r';
            *open = opens && *at == '"';
            opens = *at == ',';
        }
    }
    return NULL;
}

int cdp_lines_next(struct cdp_lines *l, struct cdp_field *record, struct cdp_err *err)
{
    for (;;) {
        char *line = l->text ? l->text + l->start : NULL, *end = l->text + l->end;
        size_t size = l->end - l->start;
        char *stop = size ? memchr(line, '\n', size) : NULL;
        bool open = false, returns = false;
        uint64_t breaks = 0;
        size_t length = stop ? (size_t)(stop - line) : size;
        if (l->csv && !l->plain && size && memchr(line, '"', length)) {
            stop = quoted_end(line, end, &open, &returns, &breaks);
        } else if (l->csv && !l->plain && length) {
            size_t kept = length;
            while (kept && line[kept - 1] == '\r')
                kept--;
            returns = memchr(line, '\r', kept) != NULL;
        }
        if (!stop && !l->ended) {
            if (refill(l, err))
                return -1;
            continue;
        }
        l->number = l->next;
        if (!stop && !size)
            return 0;
        *record = (struct cdp_field){line, (size_t)((stop ? stop : end) - line)};
        if (open)
            return cdp_lines_fail(l, "a quote that ends", record, err);
        if (returns)
            return cdp_lines_fail(l, "a carriage return at the end of the line only", record, err);
        l->start += record->length + (stop != NULL);
        l->next += breaks + 1;
        while (record->length && record->at[record->length - 1] == '\r')
            record->length--;
        return 1;
    }
}

// ---- fields

static bool is_blank(char c)
{
    return c == '\t' || c == ' ';
}

// Parses the quoted field that begins at *c; advances *c past the closing quote.
static void take_quoted(char **c, const char *end, struct cdp_field *field)
{
    char *at = *c + 1;
    for (; at < end && (*at != '"' || (at + 1 < end && at[1] == '"')); at++) {
        at += *at == '"';
        field->at[field->length++] = *at;
    }
    *c = at + 1;
}

int cdp_lines_field(const struct cdp_lines *l, enum cdp_separator separator, struct cdp_field *rest,
                    struct cdp_field *field, bool *last, struct cdp_err *err)
{
    char *c = rest->at, *end = rest->at + rest->length;
    *field = (struct cdp_field){c, 0};
    if (separator == CDP_COMMAS && c < end && *c == '"') {
        take_quoted(&c, end, field);
        if (c < end && *c != ',')
            return cdp_lines_fail(l, "a comma behind the quote", rest, err);
    } else if (separator == CDP_BLANKS) {
        while (c < end && !is_blank(*c))
            c++;
        field->length = (size_t)(c - field->at);
        while (c + 1 < end && is_blank(*c) && is_blank(c[1]))
            c++;
    } else {
        const char between = separator == CDP_COMMAS ? ',' : '\t';
        while (c < end && *c != between) // fields are short: no memchr
            c++;
        field->length = (size_t)(c - field->at);
    }
    *last = c >= end;
    rest->length = *last ? 0 : (size_t)(end - c - 1);
    rest->at = *last ? end : c + 1;
    return 0;
}

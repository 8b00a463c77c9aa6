// SPDX-License-Identifier: MIT
#include "stream/tsv.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { ROOM = 1 << 18, EDGES = 8192 };

enum { IDS = 2, COLUMNS = 3 };

struct field {
    char *at;
    size_t length;
};

struct cdp_tsv {
    struct cdp_input *input;
    struct cdp_text_form form;
    size_t column[COLUMNS]; // counted from 0
    int columns;            // that are read
    bool chosen;            // others may be there
    bool begun;             // the head line, if there is one, is read
    uint64_t line;
    size_t start, end; // of what is read and not parsed
    bool ended;        // the input has no more
    uint64_t source[EDGES], target[EDGES];
    float value[EDGES];
    const float *values[1];
    char text[ROOM + 1];
};

// A column by its number; false where it is a name.
static bool is_number(const char *column, size_t *number)
{
    char *stop;
    unsigned long value = strtoul(column, &stop, 10);
    if (*column < '0' || *column > '9' || *stop || value < 1)
        return false;
    *number = value - 1;
    return true;
}

int cdp_tsv_open(struct cdp_tsv **tsv, struct cdp_input *input, const struct cdp_text_form *form,
                 struct cdp_err *err)
{
    struct cdp_tsv *t = cdp_zalloc(1, sizeof *t, "text buffer", err);
    *tsv = t;
    if (!t) {
        cdp_input_close(input);
        return -1;
    }
    t->input = input;
    t->form = *form;
    t->values[0] = t->value;
    t->chosen = form->column[0] != NULL;
    t->columns = form->unscored ? IDS : COLUMNS;
    for (size_t c = 0; c < COLUMNS; c++)
        t->column[c] = c;
    return 0;
}

void cdp_tsv_close(struct cdp_tsv *tsv)
{
    if (tsv)
        cdp_input_close(tsv->input);
    free(tsv);
}

// ---- fields

static bool is_blank(char c)
{
    return c == '\t' || c == ' ';
}

// The field at *at, and *at moved behind it and what separates it from the next; *last where
// nothing does. Quotes are taken away in place. False where a quoted field is followed by neither.
static bool take_field(const struct cdp_tsv *t, char **at, char *end, struct field *field,
                       bool *last)
{
    char *c = *at, separator = t->form.csv ? ',' : '\t';
    bool blanks = !t->form.csv && !t->form.names;
    *field = (struct field){c, 0};
    if (t->form.csv && c < end && *c == '"') {
        for (c++; c < end && (*c != '"' || (c + 1 < end && c[1] == '"')); c++) {
            c += *c == '"';
            field->at[field->length++] = *c;
        }
        c++; // the quote at the end, which is there since the line ends outside of quotes
        if (c < end && *c != separator)
            return false;
    } else {
        while (c < end && (blanks ? !is_blank(*c) : *c != separator))
            c++;
        field->length = (size_t)(c - field->at);
    }
    *last = c >= end;
    if (blanks) {
        while (c < end && is_blank(*c))
            c++;
        *last = c >= end;
    } else {
        c += !*last;
    }
    *at = c;
    return true;
}

static int fail_field(const struct cdp_tsv *t, const char *wanted, const char *field, size_t length,
                      struct cdp_err *err)
{
    return cdp_fail_line(err, cdp_input_name(t->input), t->line, wanted, field, length);
}

static int parse_number(const char *field, size_t length, uint64_t *id)
{
    uint64_t value = 0;
    if (length < 1 || length > 19)
        return -1;
    for (size_t i = 0; i < length; i++) {
        unsigned digit = (unsigned)(field[i] - '0');
        if (digit > 9)
            return -1;
        value = value * 10 + digit;
    }
    *id = value;
    return value >> 63 ? -1 : 0;
}

// The nearest float of a short decimal number, by double arithmetic: exact where the digits are
// below 2^53 and the power of ten is at most 22, unless the double lies halfway between two floats.
static bool parse_short_decimal(const char *c, const char *end, float *value)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    bool negative = c < end && *c == '-';
    c += negative;
    uint64_t digits = 0;
    int count = 0, places = 0;
    bool point = false;
    for (; c < end; c++) {
        unsigned digit = (unsigned)(*c - '0');
        if (digit <= 9) {
            digits = digits * 10 + digit;
            places += point;
            count++;
        } else if (*c == '.' && !point) {
            point = true;
        } else {
            return false;
        }
    }
    if (count < 1 || count > 18 || digits >> 53 || places > 22)
        return false;
    double number = (double)digits / powers[places];
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    if ((bits & 0x1FFFFFFF) == 0x10000000 || (number != 0 && number < 1e-30))
        return false;
    *value = (float)(negative ? -number : number);
    return true;
}

static int parse_value(const char *field, size_t length, float *value)
{
    if (parse_short_decimal(field, field + length, value))
        return 0;
    char word[512], *stop;
    if (length < 1 || length >= sizeof word)
        return -1;
    memcpy(word, field, length);
    word[length] = '\0';
    *value = strtof(word, &stop);
    return *stop || !isfinite(*value) ? -1 : 0;
}

static int parse_id(const struct cdp_tsv *t, const struct field *field, bool second, uint64_t *id,
                    struct cdp_err *err)
{
    const struct cdp_text_form *form = &t->form;
    if (!form->names) {
        if (!parse_number(field->at, field->length, id))
            return 0;
        return fail_field(t,
                          second ? "a second id (a whole number below 2^63)"
                                 : "an id (a whole number below 2^63)",
                          field->at, field->length, err);
    }
    if (!field->length || memchr(field->at, '\n', field->length) ||
        memchr(field->at, '\0', field->length))
        return fail_field(t, "a name", field->at, field->length, err);
    if (!form->known)
        return cdp_names_add(form->names, field->at, field->length, id, err);
    if (cdp_names_find(form->names, field->at, field->length, id))
        return 0;
    return fail_field(t, "a name that is known", field->at, field->length, err);
}

// Splits a line into the columns that are wanted; an absent one has no text.
static int split(const struct cdp_tsv *t, char *at, char *end, struct field wanted[COLUMNS],
                 struct cdp_err *err)
{
    bool last = false;
    int found = 0;
    for (size_t c = 0; !last && found < t->columns; c++) {
        struct field field;
        char *begin = at;
        if (!take_field(t, &at, end, &field, &last))
            return fail_field(t, "a comma behind the quote", begin, (size_t)(end - begin), err);
        for (int w = 0; w < t->columns; w++) {
            if (t->column[w] == c) {
                wanted[w] = field;
                found++;
            }
        }
    }
    if (!t->chosen && !last)
        return fail_field(t, t->form.unscored ? "two fields" : "three fields", at,
                          (size_t)(end - at), err);
    return 0;
}

// Finds the columns that are chosen, by number or in a head line.
static int choose_columns(struct cdp_tsv *t, char *at, char *end, bool *head, struct cdp_err *err)
{
    bool named[COLUMNS] = {0}, last = !t->chosen;
    for (int w = 0; t->chosen && w < t->columns; w++) {
        named[w] = !is_number(t->form.column[w], &t->column[w]);
        *head = *head || named[w];
    }
    if (*head) {
        for (size_t c = 0; !last; c++) {
            struct field field;
            if (!take_field(t, &at, end, &field, &last))
                return fail_field(t, "a comma behind the quote", at, (size_t)(end - at), err);
            for (int w = 0; w < t->columns; w++) {
                if (named[w] && strlen(t->form.column[w]) == field.length &&
                    !memcmp(t->form.column[w], field.at, field.length)) {
                    t->column[w] = c;
                    named[w] = false;
                }
            }
        }
    }
    for (int w = 0; w < t->columns; w++) {
        if (named[w])
            return cdp_fail(err, "%s: line %llu: no column '%s' in the head line",
                            cdp_input_name(t->input), (unsigned long long)t->line,
                            t->form.column[w]);
    }
    return 0;
}

// Whether a first line without a number for a score is a head line: no id there is a number either.
static bool is_head(const struct cdp_tsv *t, const struct field field[COLUMNS])
{
    uint64_t id;
    char word[8] = "", *stop;
    memcpy(word, field[2].at, field[2].length < 7 ? field[2].length : 7);
    bool value = strtof(word, &stop) != 0 || stop != word; // nan and inf are no names
    return field[2].length && !value &&
           (t->form.names || (parse_number(field[0].at, field[0].length, &id) &&
                              parse_number(field[1].at, field[1].length, &id)));
}

// One line without its end; *edges counts what it adds.
static int parse_line(struct cdp_tsv *t, char *at, char *end, size_t *edges, struct cdp_err *err)
{
    struct field field[COLUMNS] = {{end, 0}, {end, 0}, {end, 0}};
    bool head = false, first = !t->begun;
    if (end > at && end[-1] == '\r')
        end--;
    if (t->line == 1 && end - at >= 3 && !memcmp(at, "\xEF\xBB\xBF", 3))
        at += 3;
    while (!t->form.csv && !t->form.names && at < end && is_blank(*at))
        at++;
    if (at == end || (*at == '#' && !t->form.csv))
        return 0;
    t->begun = true;
    if (first && choose_columns(t, at, end, &head, err))
        return -1;
    if (head)
        return 0;
    if (split(t, at, end, field, err))
        return -1;
    t->value[*edges] = 1;
    bool number = t->form.unscored || !parse_value(field[2].at, field[2].length, &t->value[*edges]);
    if (!number && first && is_head(t, field))
        return 0;
    if (parse_id(t, &field[0], false, &t->source[*edges], err) ||
        parse_id(t, &field[1], true, &t->target[*edges], err))
        return -1;
    if (!number)
        return fail_field(t, "a finite number behind the two ids", field[2].at, field[2].length,
                          err);
    if (t->source[*edges] == t->target[*edges])
        return fail_field(t, "two different ids", field[0].at, field[0].length, err);
    ++*edges;
    return 0;
}

// Reads on behind what is not parsed yet.
static int refill(struct cdp_tsv *t, struct cdp_err *err)
{
    memmove(t->text, t->text + t->start, t->end - t->start);
    t->end -= t->start;
    t->start = 0;
    if (t->end == ROOM)
        return cdp_fail(err, "%s: line %llu: longer than %d bytes; expected: id, id, value",
                        cdp_input_name(t->input), (unsigned long long)t->line + 1, ROOM);
    ssize_t count = cdp_input_read(t->input, t->text + t->end, ROOM - t->end, err);
    if (count < 0)
        return -1;
    t->ended = (size_t)count < ROOM - t->end;
    t->end += (size_t)count;
    return 0;
}

// The end of the line that begins there: of CSV, the first line break outside of quotes. NULL where
// it is not read yet; *open where a quote has not ended.
static char *line_end(const struct cdp_tsv *t, char *line, size_t size, bool *open)
{
    *open = false;
    if (!t->form.csv)
        return memchr(line, '\n', size);
    for (char *c = line; c < line + size; c++) {
        if (*c == '"')
            *open = !*open;
        else if (*c == '\n' && !*open)
            return c;
    }
    return NULL;
}

// Line breaks within quotes.
static uint64_t line_breaks(const char *at, const char *end)
{
    uint64_t count = 0;
    while ((at = memchr(at, '\n', (size_t)(end - at))) && at < end) {
        count++;
        at++;
    }
    return count;
}

int cdp_tsv_next(struct cdp_tsv *t, struct cdp_block *block, struct cdp_err *err)
{
    size_t edges = 0;
    while (edges < EDGES) {
        bool open;
        char *line = t->text + t->start;
        char *stop = line_end(t, line, t->end - t->start, &open);
        if (!stop && !t->ended) {
            if (refill(t, err))
                return -1;
            continue;
        }
        if (!stop && t->start == t->end)
            break;
        t->line++;
        if (open)
            return fail_field(t, "a quote that ends", line, t->end - t->start, err);
        char *end = stop ? stop : t->text + t->end;
        uint64_t breaks = t->form.csv ? line_breaks(line, end) : 0;
        if (parse_line(t, line, end, &edges, err))
            return -1;
        t->line += breaks;
        t->start = (size_t)(end - t->text) + (stop != NULL);
    }
    block->edges = edges;
    block->source = t->source;
    block->target = t->target;
    block->value = t->values;
    return edges > 0;
}

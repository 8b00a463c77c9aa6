// SPDX-License-Identifier: MIT
#include "stream/tsv.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { ROOM = 1 << 18, EDGES = 8192 };

struct cdp_tsv {
    struct cdp_input *input;
    uint64_t line;
    size_t start, end; // of what is read and not parsed
    bool ended;        // the input has no more
    bool scored;       // a line has a score
    uint64_t source[EDGES], target[EDGES];
    float value[EDGES];
    const float *columns[1];
    char text[ROOM + 1];
};

int cdp_tsv_open(struct cdp_tsv **tsv, struct cdp_input *input, bool scored, struct cdp_err *err)
{
    *tsv = cdp_zalloc(1, sizeof **tsv, "text buffer", err);
    if (!*tsv) {
        cdp_input_close(input);
        return -1;
    }
    (*tsv)->input = input;
    (*tsv)->scored = scored;
    (*tsv)->columns[0] = (*tsv)->value;
    return 0;
}

void cdp_tsv_close(struct cdp_tsv *tsv)
{
    if (tsv)
        cdp_input_close(tsv->input);
    free(tsv);
}

static bool is_blank(char c)
{
    return c == '\t' || c == ' ';
}

// The field at *at, and *at moved behind it and the blanks that follow.
static const char *take_field(const char **at, const char *end, size_t *length)
{
    const char *field = *at, *c = field;
    while (c < end && !is_blank(*c))
        c++;
    *length = (size_t)(c - field);
    while (c < end && is_blank(*c))
        c++;
    *at = c;
    return field;
}

static int fail_field(const struct cdp_tsv *t, const char *wanted, const char *field, size_t length,
                      struct cdp_err *err)
{
    return cdp_fail_line(err, cdp_input_name(t->input), t->line, wanted, field, length);
}

static int parse_id(const char *field, size_t length, uint64_t *id)
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

// One line without its end; *edges counts what it adds.
static int parse_line(struct cdp_tsv *t, const char *at, const char *end, size_t *edges,
                      struct cdp_err *err)
{
    if (end > at && end[-1] == '\r')
        end--;
    while (at < end && is_blank(*at))
        at++;
    if (at == end || *at == '#')
        return 0;
    const char *field;
    size_t length;
    field = take_field(&at, end, &length);
    if (parse_id(field, length, &t->source[*edges]))
        return fail_field(t, "an id (a whole number below 2^63)", field, length, err);
    field = take_field(&at, end, &length);
    if (parse_id(field, length, &t->target[*edges]))
        return fail_field(t, "a second id (a whole number below 2^63)", field, length, err);
    t->value[*edges] = 1;
    if (t->scored) {
        field = take_field(&at, end, &length);
        if (parse_value(field, length, &t->value[*edges]))
            return fail_field(t, "a finite number behind the two ids", field, length, err);
    }
    if (at < end)
        return fail_field(t, t->scored ? "three fields" : "two fields", at, (size_t)(end - at),
                          err);
    if (t->source[*edges] == t->target[*edges])
        return fail_field(t, "two different ids", field, 0, err);
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

int cdp_tsv_next(struct cdp_tsv *t, struct cdp_block *block, struct cdp_err *err)
{
    size_t edges = 0;
    while (edges < EDGES) {
        char *line = t->text + t->start;
        char *stop = memchr(line, '\n', t->end - t->start);
        if (!stop && !t->ended) {
            if (refill(t, err))
                return -1;
            continue;
        }
        if (!stop && t->start == t->end)
            break;
        t->line++;
        if (parse_line(t, line, stop ? stop : t->text + t->end, &edges, err))
            return -1;
        t->start = stop ? (size_t)(stop + 1 - t->text) : t->end;
    }
    block->edges = edges;
    block->source = t->source;
    block->target = t->target;
    block->value = t->columns;
    return edges > 0;
}

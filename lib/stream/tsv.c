// SPDX-License-Identifier: MIT
#include "stream/tsv.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/number.h"
#include "stream/lines.h"

enum { EDGES = 8192, IDS = 2, COLUMNS = 3 };

struct cdp_tsv {
    struct cdp_lines *lines;
    struct cdp_text_form form;
    enum cdp_separator separator;
    size_t column[COLUMNS]; // from 0
    int columns;            // number of columns read
    bool chosen;            // --columns: others may be present
    size_t fields;          // number per line, if columns are chosen
    bool begun;             // the first line that is no comment was read
    bool named;             // ids are names
    uint64_t padded;        // number of the first line with blanks around an id; 0 = none
    bool renaming;          // ids became names at `field`, which is still to be added
    struct cdp_field field[COLUMNS];
    struct cdp_text_notes notes;
    size_t edges;
    uint64_t source[EDGES], target[EDGES];
    float value[EDGES];
    const float *values[1];
};

int cdp_tsv_open(struct cdp_tsv **tsv, struct cdp_input *input, const struct cdp_text_form *form,
                 struct cdp_err *err)
{
    struct cdp_tsv *t = cdp_zalloc(1, sizeof *t, "edges of text", err);
    *tsv = t;
    if (!t) {
        cdp_input_close(input);
        return -1;
    }
    if (cdp_lines_open(&t->lines, input, form->csv, err)) {
        free(t);
        *tsv = NULL;
        return -1;
    }
    t->form = *form;
    t->named = form->names && (!form->automatic || form->named);
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
        cdp_lines_close(tsv->lines);
    free(tsv);
}

const struct cdp_text_notes *cdp_tsv_notes(const struct cdp_tsv *tsv)
{
    return &tsv->notes;
}

// ---- fields

static bool is_blank(char c)
{
    return c == '\t' || c == ' ';
}

static struct cdp_field trim(struct cdp_field field)
{
    while (field.length && is_blank(*field.at)) {
        field.at++;
        field.length--;
    }
    while (field.length && is_blank(field.at[field.length - 1]))
        field.length--;
    return field;
}

// Whether the whole field is one of the NULL-terminated words, ignoring case.
static bool is_word(const struct cdp_field *field, const char *const *word)
{
    for (; *word; word++) {
        if (field->length == strlen(*word) && !strncasecmp(field->at, *word, field->length))
            return true;
    }
    return false;
}

static const char *const missing[] = {"",     "na",   "n/a", "nan",      "null",
                                      "none", "-nan", "inf", "infinity", NULL};

// Other words that are values rather than column names.
static const char *const values[] = {"true",    "false",   "yes",       "no", "nil",
                                     "missing", "unknown", "undefined", NULL};

// Whether an id is probably a malformed or missing number rather than a name: a sign, a decimal
// point, an exponent with a sign, blanks around digits, NA.
static bool is_odd(const struct cdp_field *field)
{
    const char *at = field->at, *end = at + field->length;
    size_t digits = 0;
    bool plain = true;
    for (; at < end; at++) {
        bool exponent = (*at == 'e' || *at == 'E') && digits && at + 1 < end && strchr("+-", at[1]);
        if (isdigit((unsigned char)*at))
            digits++;
        else if (exponent || strchr("+-. ", *at))
            plain = false;
        else
            return is_word(field, missing);
    }
    return digits ? !plain : is_word(field, missing);
}

// ---- lines

// Splits a record into the columns that are read; an absent one is empty. If columns are chosen,
// all records must have as many fields as the first: a missing or split field would shift the
// others.
static int split(struct cdp_tsv *t, struct cdp_field record, struct cdp_field wanted[COLUMNS],
                 struct cdp_err *err)
{
    const struct cdp_field line = record;
    bool last = false;
    size_t count = 0;
    if (t->chosen && t->begun && t->separator == CDP_BLANKS && memchr(line.at, '\t', line.length))
        return cdp_lines_fail(t->lines, "blanks between fields, as on the first line", &line, err);
    for (int w = 0; w < COLUMNS; w++)
        wanted[w] = (struct cdp_field){record.at + record.length, 0};
    for (; !last && (t->chosen || count < (size_t)t->columns); count++) {
        struct cdp_field field;
        if (cdp_lines_field(t->lines, t->separator, &record, &field, &last, err))
            return -1;
        if (!t->chosen)
            wanted[count] = field;
        for (int w = 0; t->chosen && w < t->columns; w++) {
            if (t->column[w] == count)
                wanted[w] = field;
        }
    }
    if (t->chosen && t->begun && !t->fields)
        t->fields = count;
    if (t->fields && count != t->fields)
        return cdp_fail(err, "%s: line %llu: %zu fields, but the first line has %zu",
                        cdp_lines_name(t->lines), (unsigned long long)cdp_lines_number(t->lines),
                        count, t->fields);
    if (!t->chosen && !last && trim(record).length)
        return cdp_lines_fail(t->lines,
                              t->form.unscored ? "two fields"
                                               : "three fields (--columns chooses among others)",
                              &record, err);
    return 0;
}

// Parses a column number; false if it is a name.
static bool is_number(const char *column, size_t *number)
{
    char *stop;
    unsigned long value = strtoul(column, &stop, 10);
    if (*column < '0' || *column > '9' || *stop || value < 1)
        return false;
    *number = value - 1;
    return true;
}

static int fail_title(const struct cdp_tsv *t, const char *count, const char *title,
                      const char *advice, struct cdp_err *err)
{
    return cdp_fail(err, "%s: line %llu: %s '%s' in the header line%s", cdp_lines_name(t->lines),
                    (unsigned long long)cdp_lines_number(t->lines), count, title, advice);
}

// Resolves the chosen columns, by number or by the header line.
static int choose_columns(struct cdp_tsv *t, struct cdp_field line, bool *head, struct cdp_err *err)
{
    bool named[COLUMNS] = {0}, found[COLUMNS] = {0}, last = false;
    for (int w = 0; t->chosen && w < t->columns; w++) {
        named[w] = !is_number(t->form.column[w], &t->column[w]);
        *head = *head || named[w];
    }
    for (size_t c = 0; *head && !last; c++) {
        struct cdp_field field;
        if (cdp_lines_field(t->lines, t->separator, &line, &field, &last, err))
            return -1;
        t->fields = c + 1;
        for (int w = 0; w < t->columns; w++) {
            const char *title = t->form.column[w];
            if (!named[w] || strlen(title) != field.length ||
                memcmp(title, field.at, field.length) != 0)
                continue;
            if (found[w])
                return fail_title(t, "two columns", title, ": choose one by its number", err);
            t->column[w] = c;
            found[w] = true;
        }
    }
    for (int w = 0; w < t->columns; w++) {
        if (named[w] && !found[w])
            return fail_title(t, "no column", t->form.column[w], "", err);
        for (int other = 0; t->chosen && other < w; other++) {
            if (t->column[w] == t->column[other])
                return cdp_fail(err, "%s: --columns '%s' and '%s' are one column: choose two",
                                cdp_lines_name(t->lines), t->form.column[other], t->form.column[w]);
        }
    }
    return 0;
}

// Whether a first line is a header line: its score is a word that does not mean a missing value,
// and no id is a number.
static bool is_head(const struct cdp_tsv *t)
{
    const struct cdp_field *score = &t->field[2];
    uint64_t id;
    for (size_t i = 0; i < score->length; i++) {
        unsigned char c = (unsigned char)score->at[i];
        if (!isalpha(c) && c != '_' && !(i && (isdigit(c) || c == ' ' || c == '-')))
            return false;
    }
    return !is_word(score, missing) && !is_word(score, values) &&
           cdp_parse_id(t->field[0].at, t->field[0].length, &id) &&
           cdp_parse_id(t->field[1].at, t->field[1].length, &id);
}

static enum cdp_separator separator_of(const struct cdp_tsv *t, const struct cdp_field *line)
{
    if (t->form.csv)
        return CDP_COMMAS;
    if (memchr(line->at, '\t', line->length))
        return CDP_TABS;
    if (t->form.unscored && memchr(line->at, ',', line->length))
        return CDP_COMMAS;
    return t->form.names && !t->form.automatic ? CDP_TABS : CDP_BLANKS;
}

static int parse_id(struct cdp_tsv *t, const struct cdp_field *field, const char *which,
                    uint64_t *id, struct cdp_err *err)
{
    struct cdp_names *names = t->form.names;
    char wanted[160];
    if (!t->named) {
        const struct cdp_field digits = trim(*field);
        bool padded = digits.length > 1 && *digits.at == '0';
        if (!padded && !cdp_parse_id(digits.at, digits.length, id))
            return 0;
        snprintf(wanted, sizeof wanted,
                 "%s id (a whole number below 2^63%s; cdp-view --from reads names)", which,
                 padded ? ", without leading zeros" : "");
        return cdp_lines_fail(t->lines, wanted, field, err);
    }
    if (t->form.automatic && is_odd(field)) {
        snprintf(wanted, sizeof wanted,
                 "%s id (a whole number below 2^63 or a name; --named takes "
                 "all ids as names)",
                 which);
        return cdp_lines_fail(t->lines, wanted, field, err);
    }
    if (!cdp_name_valid(field->at, field->length))
        return cdp_lines_fail(t->lines, CDP_NAME_WANTED, field, err);
    if (!t->form.known)
        return cdp_names_add(names, field->at, field->length, id, err);
    if (cdp_names_find(names, field->at, field->length, id))
        return 0;
    return cdp_lines_fail(t->lines, "a name that is known", field, err);
}

// "FILE: line N: WHAT is missing", where the field has no text.
static int fail_missing(const struct cdp_tsv *t, const char *what, struct cdp_err *err)
{
    const struct cdp_field *first = &t->field[0];
    bool semicolons = t->form.csv && memchr(first->at, ';', first->length);
    bool commas = !t->form.csv && memchr(first->at, ',', first->length);
    bool blanks = !t->form.csv && memchr(first->at, ' ', first->length);
    return cdp_fail(err, "%s: line %llu: %s is missing%s", cdp_lines_name(t->lines),
                    (unsigned long long)cdp_lines_number(t->lines), what,
                    semicolons ? ": csv fields are separated by commas, not semicolons"
                    : commas   ? ": fields are separated by tabs; cdp-view --from csv reads commas"
                    : blanks   ? ": a tab must stand between names, which may have blanks"
                               : "");
}

// Adds the edge of the current fields. At the first id that is not a number, sets t->renaming.
static int add_edge(struct cdp_tsv *t, struct cdp_err *err)
{
    uint64_t *source = &t->source[t->edges], *target = &t->target[t->edges];
    bool undecided = t->form.automatic && !t->named; // whether ids are numbers or names
    for (int i = 0; undecided && i < IDS; i++) {
        const struct cdp_field id = trim(t->field[i]);
        bool zero = id.length > 1 && *id.at == '0';
        if (zero || cdp_parse_id(id.at, id.length, i ? target : source))
            t->renaming = true;
        if (!t->padded && id.length != t->field[i].length)
            t->padded = cdp_lines_number(t->lines);
    }
    if (t->renaming && t->padded)
        return cdp_fail(err, "%s: line %llu: expected a name, got blanks around an id",
                        cdp_lines_name(t->lines), (unsigned long long)t->padded);
    if (t->renaming)
        return 0;
    for (int i = 0; i < t->columns; i++) {
        static const char *const what[COLUMNS] = {"the first id", "the second id", "the score"};
        if (!t->field[i].length)
            return fail_missing(t, what[i], err);
    }
    if (!undecided && (parse_id(t, &t->field[0], "an", source, err) ||
                       parse_id(t, &t->field[1], "a second", target, err)))
        return -1;
    t->value[t->edges] = 1;
    if (!t->form.unscored &&
        cdp_parse_float(t->field[IDS].at, t->field[IDS].length, &t->value[t->edges]))
        return cdp_lines_fail(t->lines, "a finite number behind the two ids", &t->field[2], err);
    if (*source == *target)
        t->notes.self_pairs++;
    else
        t->edges++;
    return 0;
}

static bool is_known(const struct cdp_tsv *t, const struct cdp_field *field)
{
    uint64_t id;
    if (t->named)
        return cdp_names_find(t->form.names, field->at, field->length, &id);
    const struct cdp_field digits = trim(*field);
    return !cdp_parse_id(digits.at, digits.length, &id);
}

// Adds to the error of the first line of links that it is a header: it has no known item, and the
// next line has two.
static void explain_head(struct cdp_tsv *t, struct cdp_err *err)
{
    struct cdp_err why, other;
    struct cdp_field line;
    if (!err || !t->form.known || !t->form.unscored || is_known(t, &t->field[0]) ||
        is_known(t, &t->field[1]))
        return;
    why = *err;
    if (cdp_lines_next(t->lines, &line, &other) > 0 && !split(t, line, t->field, &other) &&
        is_known(t, &t->field[0]) && is_known(t, &t->field[1]))
        cdp_fail(err, "%s: remove the header: files of links have none", why.text);
}

// Whether a line that begins with # is a comment: 1, or 0 if it is a pair of names. If ids may be
// either, a # before a pair of numbers is ambiguous and an error.
static int is_comment(struct cdp_tsv *t, struct cdp_field line, struct cdp_err *err)
{
    struct cdp_field field[COLUMNS];
    struct cdp_err why;
    float value;
    uint64_t id;
    if (t->named || t->form.csv)
        return 0;
    if (!t->form.automatic)
        return 1;
    enum cdp_separator separator = t->separator;
    if (!t->begun)
        t->separator = separator_of(t, &line);
    bool pair = !split(t, line, field, &why) && field[1].length &&
                (t->form.unscored || !cdp_parse_float(field[IDS].at, field[IDS].length, &value));
    t->separator = separator;
    if (!pair)
        return 1;
    struct cdp_field first = trim((struct cdp_field){field[0].at + 1, field[0].length - 1});
    if (cdp_parse_id(first.at, first.length, &id) ||
        cdp_parse_id(field[1].at, field[1].length, &id))
        return 0;
    return cdp_lines_fail(t->lines,
                          "no # before a pair: remove a comment, or give --named where it "
                          "begins a name",
                          &line, err);
}

static int parse_line(struct cdp_tsv *t, struct cdp_field line, struct cdp_err *err)
{
    bool head = false, first = !t->begun;
    if (!t->form.csv && !t->named && (first || t->separator == CDP_BLANKS))
        line = trim(line);
    if (!line.length)
        return 0;
    int comment = *line.at == '#' ? is_comment(t, line, err) : 0;
    if (comment)
        return comment < 0 ? -1 : 0;
    if (first) {
        t->begun = true;
        t->separator = separator_of(t, &line);
        if (choose_columns(t, line, &head, err))
            return -1;
    }
    if (head)
        return 0;
    if (split(t, line, t->field, err))
        return -1;
    float value;
    if (first && !t->form.unscored &&
        cdp_parse_float(t->field[IDS].at, t->field[IDS].length, &value) && is_head(t)) {
        t->notes.head_lines++;
        return 0;
    }
    if (!add_edge(t, err))
        return 0;
    if (first)
        explain_head(t, err);
    return -1;
}

int cdp_tsv_next(struct cdp_tsv *t, struct cdp_block *block, struct cdp_err *err)
{
    struct cdp_field line;
    int status = 1;
    bool renamed = false;
    t->edges = 0;
    if (t->renaming && !t->named) {
        t->named = renamed = true;
    } else if (t->renaming) {
        t->renaming = false;
        status = add_edge(t, err) ? -1 : 1;
    }
    while (status > 0 && !t->renaming && t->edges < EDGES) {
        status = cdp_lines_next(t->lines, &line, err);
        if (status > 0 && parse_line(t, line, err))
            status = -1;
    }
    block->edges = t->edges;
    block->source = t->source;
    block->target = t->target;
    block->value = t->values;
    if (status < 0)
        return -1;
    return renamed ? 2 : t->edges > 0 || t->renaming;
}

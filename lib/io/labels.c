// SPDX-License-Identifier: MIT
#include "io/labels.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/random.h"
#include "io/input.h"

struct text {
    const char *at;
    size_t length;
};

// The distinct labels: an open-addressing hash table of 8 bytes per slot, since accesses are
// random.
struct groups {
    uint64_t *slot; // upper half of the hash, and group + 1; 0 = empty
    size_t size;    // a power of two
    uint64_t key;
    struct text *text; // of each group, if labels are strings
    size_t used, room;
};

struct parser {
    const char *name;
    const char *at, *end;
    uint64_t line;
    bool discards;
    bool known; // a label other than -1 was read
    struct groups groups;
    struct cdp_labels *labels;
    size_t room, value_room;
};

static bool same(const struct text *a, const struct text *b)
{
    return a->length == b->length && !memcmp(a->at, b->at, a->length);
}

// The slot value of a hash and a group, and the index at which probing starts.
static uint64_t slot_of(uint64_t hash, uint32_t group)
{
    return hash >> 32 << 32 | (group + 1U);
}

static uint32_t group_of(uint64_t slot)
{
    return (uint32_t)slot - 1;
}

static uint64_t text_hash(const struct groups *g, const struct text *text)
{
    return XXH3_64bits_withSeed(text->at, text->length, g->key);
}

static uint64_t integer_hash(const struct groups *g, int64_t value)
{
    return cdp_random(g->key, (uint64_t)value);
}

// `value` is the integer of each group; NULL if labels are strings.
static int resize(struct groups *g, const int64_t *value, size_t size, struct cdp_err *err)
{
    uint64_t *slot = cdp_zalloc(size, sizeof *slot, "label table", err);
    if (!slot)
        return -1;
    for (uint32_t group = 0; group < g->used; group++) {
        uint64_t hash = value ? integer_hash(g, value[group]) : text_hash(g, &g->text[group]);
        size_t at = hash & (size - 1);
        while (slot[at])
            at = (at + 1) & (size - 1);
        slot[at] = slot_of(hash, group);
    }
    free(g->slot);
    g->slot = slot;
    g->size = size;
    return 0;
}

// The group of a label: of the text, or of the integer if `text` is NULL. The group `used` - 1 may
// be new; then the caller appends its text or value.
static int number(struct groups *g, const struct text *text, const int64_t *value, int64_t integer,
                  uint32_t *group, struct cdp_err *err)
{
    if (g->used >= g->size / 4 * 3 && resize(g, value, g->size ? 2 * g->size : 1024, err))
        return -1;
    uint64_t hash = text ? text_hash(g, text) : integer_hash(g, integer);
    size_t at = hash & (g->size - 1);
    for (; g->slot[at]; at = (at + 1) & (g->size - 1)) {
        if (g->slot[at] >> 32 != hash >> 32)
            continue;
        *group = group_of(g->slot[at]);
        if (text ? same(&g->text[*group], text) : value[*group] == integer)
            return 0;
    }
    *group = (uint32_t)g->used++;
    g->slot[at] = slot_of(hash, *group);
    return 0;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static bool blank(const char *text, size_t length)
{
    while (length && is_blank(text[length - 1]))
        length--;
    return !length;
}

// Leading blanks are ignored.
static int parse_integer(const char *text, size_t length, int64_t *value)
{
    for (; length && is_blank(*text); text++)
        length--;
    bool negative = length && *text == '-';
    uint64_t magnitude = 0, most = (uint64_t)INT64_MAX + negative;
    if (length == (size_t)negative)
        return -1;
    for (size_t i = negative; i < length; i++) {
        unsigned digit = (unsigned)(text[i] - '0');
        if (digit > 9 || magnitude > (most - digit) / 10)
            return -1;
        magnitude = magnitude * 10 + digit;
    }
    *value = (int64_t)(negative ? 0 - magnitude : magnitude);
    return 0;
}

// Whether a true label means unknown: -1, also as a float (-1.0, -1.000e+00).
static bool is_unknown(const char *text, size_t length)
{
    float value;
    return length && memchr(text, '-', length) && !cdp_parse_float(text, length, &value) &&
           value == -1;
}

// Splits the name off a line, if the first line has one.
static int parse_name(struct parser *p, const char **text, size_t *length, struct cdp_err *err)
{
    struct cdp_labels *labels = p->labels;
    const char *tab = memchr(*text, '\t', *length);
    if (tab && blank(tab, (size_t)(*text + *length - tab)))
        tab = NULL;
    if (p->line == 1 && tab && cdp_names_new(&labels->names, err))
        return -1;
    if (!labels->names)
        return 0;
    uint64_t id, count = cdp_names_count(labels->names);
    if (!tab || !cdp_name_valid(*text, (size_t)(tab - *text)))
        return cdp_fail_line(err, p->name, p->line, "a name, a tab and a label", *text, *length);
    if (cdp_names_add(labels->names, *text, (size_t)(tab - *text), &id, err))
        return -1;
    if (id != count)
        return cdp_fail_line(err, p->name, p->line, "a name that no line before has", *text,
                             (size_t)(tab - *text));
    *length -= (size_t)(tab + 1 - *text);
    *text = tab + 1;
    return 0;
}

static int parse_line(struct parser *p, const char *text, size_t length, struct cdp_err *err)
{
    struct cdp_labels *labels = p->labels;
    int64_t value = 0;
    if (parse_name(p, &text, &length, err))
        return -1;
    while (length && is_blank(text[length - 1]))
        length--;
    bool integer = !parse_integer(text, length, &value);
    if (!length)
        return cdp_fail(err, "%s: line %llu is empty", p->name, (unsigned long long)p->line);
    bool none = integer ? value == -1 : !p->discards && is_unknown(text, length);
    if (!p->known && !none)
        labels->integers = integer;
    p->known = p->known || !none;
    if (p->discards && (!integer || value < -1))
        return cdp_fail_line(err, p->name, p->line, "a cluster's number, or -1", text, length);
    if (labels->integers && !integer && !none)
        return cdp_fail_line(err, p->name, p->line, "an integer, as on the lines before", text,
                             length);
    if (labels->items >= UINT32_MAX - 1)
        return cdp_fail(err, "%s: more than 2^32 - 2 labels", p->name);
    if (cdp_grow(&labels->group, &p->room, labels->items + 1, sizeof *labels->group, "labels", err))
        return -1;
    uint32_t *group = &labels->group[labels->items++];
    if (none) {
        *group = CDP_NO_LABEL;
        return 0;
    }
    size_t before = p->groups.used;
    if (labels->integers) {
        if (cdp_grow(&labels->value, &p->value_room, before + 1, sizeof *labels->value, "labels",
                     err) ||
            number(&p->groups, NULL, labels->value, value, group, err))
            return -1;
        if (*group == before)
            labels->value[before] = value;
        return 0;
    }
    const struct text label = {text, length};
    if (cdp_grow(&p->groups.text, &p->groups.room, before + 1, sizeof label, "labels", err) ||
        number(&p->groups, &label, NULL, 0, group, err))
        return -1;
    if (*group == before)
        p->groups.text[before] = label;
    return 0;
}

static int parse(struct parser *p, struct cdp_err *err)
{
    while (p->at < p->end) {
        const char *stop = memchr(p->at, '\n', (size_t)(p->end - p->at));
        const char *end = stop ? stop : p->end;
        size_t length = (size_t)(end - p->at);
        if (length && end[-1] == '\r')
            length--;
        p->line++;
        if (parse_line(p, p->at, length, err))
            return -1;
        p->at = stop ? stop + 1 : p->end;
    }
    if (!p->labels->items)
        return cdp_fail(err, "%s: holds no labels", p->name);
    p->labels->groups = (uint32_t)p->groups.used;
    return 0;
}

int cdp_labels_read(struct cdp_labels *labels, const char *name, bool discards, struct cdp_err *err)
{
    *labels = (struct cdp_labels){.integers = true};
    struct cdp_input *input;
    if (cdp_input_open_text(&input, name, err))
        return -1;
    const unsigned char *bytes;
    size_t size;
    struct parser p = {.name = cdp_input_name(input),
                       .discards = discards,
                       .labels = labels,
                       .groups.key = cdp_hash_key()};
    int status = cdp_input_whole(input, &bytes, &size, err);
    if (!status) {
        p.at = (const char *)bytes;
        p.end = p.at + size;
        status = parse(&p, err);
    }
    free(p.groups.slot);
    free(p.groups.text);
    cdp_input_close(input);
    if (status)
        cdp_labels_free(labels);
    return status;
}

uint64_t cdp_labels_none(const struct cdp_labels *labels)
{
    uint64_t none = 0;
    for (uint64_t i = 0; i < labels->items; i++)
        none += labels->group[i] == CDP_NO_LABEL;
    return none;
}

void cdp_labels_free(struct cdp_labels *labels)
{
    free(labels->group);
    free(labels->value);
    cdp_names_free(labels->names);
    memset(labels, 0, sizeof *labels);
}

int cdp_labels_align(struct cdp_labels *labels, const char *file, const struct cdp_names *names,
                     uint64_t *missing, uint64_t *others, struct cdp_err *err)
{
    *missing = *others = 0;
    if (!names && !labels->names)
        return 0;
    if (!names)
        return cdp_fail(err, "%s: its lines have names, but the items have none", file);
    if (!labels->names)
        return cdp_fail(
            err,
            "%s: the items have names: expected NAME<tab>LABEL on each line: paste NAMES "
            "%s makes these of labels in the order of the names",
            file, file);
    struct cdp_names *all;
    uint64_t count = cdp_names_count(names), room = count + labels->items;
    uint32_t *group = cdp_alloc(room, sizeof *group, "labels", err);
    if (cdp_names_copy(&all, names, err) || !group) {
        cdp_names_free(all);
        free(group);
        return -1;
    }
    for (uint64_t i = 0; i < room; i++)
        group[i] = CDP_NO_LABEL;
    int status = 0;
    uint64_t found = 0;
    for (uint64_t i = 0; !status && i < labels->items; i++) {
        size_t length;
        uint64_t id;
        const char *name = cdp_names_get(labels->names, i, &length);
        status = cdp_names_add(all, name, length, &id, err);
        if (!status) {
            group[id] = labels->group[i];
            found += id < count;
        }
    }
    *missing = count - found;
    *others = labels->items - found;
    free(labels->group);
    cdp_names_free(labels->names);
    labels->group = group;
    labels->names = all;
    labels->items = cdp_names_count(all);
    return status;
}

// Renumbers groups in order of first appearance, dropping unused ones.
static int renumber(struct cdp_labels *labels, struct cdp_err *err)
{
    uint32_t *number = cdp_alloc(labels->groups, sizeof *number, "label numbers", err);
    int64_t *value = labels->value ? cdp_alloc(labels->groups, sizeof *value, "labels", err) : NULL;
    if (!number || (labels->value && !value)) {
        free(number);
        free(value);
        return -1;
    }
    for (uint32_t g = 0; g < labels->groups; g++)
        number[g] = CDP_NO_LABEL;
    uint32_t groups = 0;
    for (uint64_t i = 0; i < labels->items; i++) {
        uint32_t *group = &labels->group[i];
        if (*group == CDP_NO_LABEL)
            continue;
        if (number[*group] == CDP_NO_LABEL) {
            if (value)
                value[groups] = labels->value[*group];
            number[*group] = groups++;
        }
        *group = number[*group];
    }
    free(number);
    free(labels->value);
    labels->value = value;
    labels->groups = groups;
    return 0;
}

int cdp_labels_match(struct cdp_labels *labels, const char *file, const struct cdp_names *names,
                     uint64_t items, const char *of, uint64_t *unknown, struct cdp_err *err)
{
    uint64_t missing, others;
    if (cdp_labels_align(labels, file, names, &missing, &others, err))
        return -1;
    if (!names && labels->items != items)
        return cdp_fail(err, "%s: %llu labels, but %s has %llu nodes", file,
                        (unsigned long long)labels->items, of, (unsigned long long)items);
    labels->items = items;
    if (names && renumber(labels, err))
        return -1;
    *unknown = cdp_labels_none(labels);
    return 0;
}

int cdp_labels_extend(struct cdp_labels *labels, uint64_t items, struct cdp_err *err)
{
    size_t room = labels->items;
    if (cdp_grow(&labels->group, &room, items, sizeof *labels->group, "labels", err))
        return -1;
    while (labels->items < items)
        labels->group[labels->items++] = CDP_NO_LABEL;
    return 0;
}

int cdp_labels_write(struct cdp_output *output, const uint32_t *label, uint64_t items,
                     const struct cdp_names *names, struct cdp_err *err)
{
    for (uint64_t i = 0; i < items; i++) {
        size_t length;
        const char *name = names ? cdp_names_get(names, i, &length) : NULL;
        if (names &&
            (cdp_output_write(output, name, length, err) || cdp_output_write(output, "\t", 1, err)))
            return -1;
        char line[16], *at = line + sizeof line;
        uint32_t rest = label[i];
        *--at = '\n';
        if (rest == CDP_NO_LABEL) {
            *--at = '1';
            *--at = '-';
        } else {
            do {
                *--at = (char)('0' + rest % 10);
            } while (rest /= 10);
        }
        if (cdp_output_write(output, at, (size_t)(line + sizeof line - at), err))
            return -1;
    }
    return 0;
}

// SPDX-License-Identifier: MIT
#include "io/labels.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/mem.h"
#include "base/random.h"
#include "io/input.h"

struct text {
    const char *at;
    size_t length;
};

// The distinct labels met so far: an open-addressing table, small since it is hit at random.
struct groups {
    struct slot {
        uint64_t key; // the integer, or the hash of the text
        uint32_t group;
        bool used;
    } * slot;
    size_t size;       // a power of two
    struct text *text; // of each group, where the labels are strings
    size_t used, room;
};

struct parser {
    const char *name;
    const char *at, *end;
    uint64_t line;
    bool discards;
    struct groups groups;
    struct cdp_labels *labels;
    size_t room, value_room;
};

static int resize(struct groups *g, size_t size, struct cdp_err *err)
{
    struct slot *slot = cdp_zalloc(size, sizeof *slot, "label table", err);
    if (!slot)
        return -1;
    for (size_t s = 0; s < g->size; s++) {
        if (!g->slot[s].used)
            continue;
        size_t at = cdp_random(g->slot[s].key, 0) & (size - 1);
        while (slot[at].used)
            at = (at + 1) & (size - 1);
        slot[at] = g->slot[s];
    }
    free(g->slot);
    g->slot = slot;
    g->size = size;
    return 0;
}

static bool same(const struct text *a, const struct text *b)
{
    return a->length == b->length && !memcmp(a->at, b->at, a->length);
}

// The group of a label, a new one where it is new. `text` is NULL for integers.
static int number(struct groups *g, uint64_t key, const struct text *text, uint32_t *group,
                  struct cdp_err *err)
{
    if (g->used >= g->size / 4 * 3 && resize(g, g->size ? 2 * g->size : 1024, err))
        return -1;
    size_t at = cdp_random(key, 0) & (g->size - 1);
    for (; g->slot[at].used; at = (at + 1) & (g->size - 1)) {
        const struct slot *s = &g->slot[at];
        if (s->key == key && (!text || same(&g->text[s->group], text))) {
            *group = s->group;
            return 0;
        }
    }
    if (text) {
        if (cdp_grow(&g->text, &g->room, g->used + 1, sizeof *g->text, "labels", err))
            return -1;
        g->text[g->used] = *text;
    }
    *group = (uint32_t)g->used++;
    g->slot[at] = (struct slot){key, *group, true};
    return 0;
}

static int parse_integer(const char *text, size_t length, int64_t *value)
{
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

// Takes the name off a line where the first line has one.
static int parse_name(struct parser *p, const char **text, size_t *length, struct cdp_err *err)
{
    struct cdp_labels *labels = p->labels;
    const char *tab = memchr(*text, '\t', *length);
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
        return cdp_fail_line(err, p->name, p->line, "a name that is not there before", *text,
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
    bool integer = !parse_integer(text, length, &value);
    if (!length)
        return cdp_fail(err, "%s: line %llu is empty", p->name, (unsigned long long)p->line);
    if (p->line == 1)
        labels->integers = integer;
    if (p->discards && (!integer || value < -1))
        return cdp_fail_line(err, p->name, p->line, "a cluster's number, or -1", text, length);
    if (labels->integers && !integer)
        return cdp_fail_line(err, p->name, p->line, "an integer, as on the lines before", text,
                             length);
    if (labels->items >= UINT32_MAX - 1)
        return cdp_fail(err, "%s: more than 2^32 - 2 labels", p->name);
    if (cdp_grow(&labels->group, &p->room, labels->items + 1, sizeof *labels->group, "labels", err))
        return -1;
    uint32_t *group = &labels->group[labels->items++];
    if (p->discards && value == -1) {
        *group = CDP_NO_LABEL;
        return 0;
    }
    if (labels->integers) {
        size_t before = p->groups.used;
        if (number(&p->groups, (uint64_t)value, NULL, group, err))
            return -1;
        if (*group < before)
            return 0;
        if (cdp_grow(&labels->value, &p->value_room, before + 1, sizeof *labels->value, "labels",
                     err))
            return -1;
        labels->value[before] = value;
        return 0;
    }
    struct text label = {text, length};
    return number(&p->groups, XXH3_64bits(text, length), &label, group, err);
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
    memset(labels, 0, sizeof *labels);
    struct cdp_input *input;
    if (cdp_input_open(&input, name, 0, err))
        return -1;
    const unsigned char *bytes;
    size_t size;
    struct parser p = {.name = cdp_input_name(input), .discards = discards, .labels = labels};
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
        return cdp_fail(err, "%s: the items have names: expected NAME<tab>LABEL on each line",
                        file);
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

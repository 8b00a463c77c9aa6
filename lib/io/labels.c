// SPDX-License-Identifier: MIT
#include "io/labels.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/mem.h"
#include "base/random.h"
#include "io/input.h"

enum { WORD = 40 };

// The distinct labels met so far: an open-addressing table of group numbers.
struct groups {
    struct entry {
        uint64_t key; // the integer, or the hash of the text
        const char *text;
        size_t length;
        uint32_t group;
        bool used;
    } * entry;
    size_t size, used; // size is a power of two
};

struct parser {
    const char *name;
    const char *at, *end;
    uint64_t line;
    bool discards;
    struct groups groups;
    struct cdp_labels *labels;
    size_t room;
};

static int resize(struct groups *g, size_t size, struct cdp_err *err)
{
    struct entry *old = g->entry;
    struct entry *entry = cdp_zalloc(size, sizeof *entry, "label table", err);
    if (!entry)
        return -1;
    for (size_t e = 0; e < g->size; e++) {
        if (!old[e].used)
            continue;
        size_t slot = cdp_random(old[e].key, 0) & (size - 1);
        while (entry[slot].used)
            slot = (slot + 1) & (size - 1);
        entry[slot] = old[e];
    }
    free(old);
    g->entry = entry;
    g->size = size;
    return 0;
}

// The group of a label, a new one where it is new.
static int number(struct groups *g, uint64_t key, const char *text, size_t length, uint32_t *group,
                  struct cdp_err *err)
{
    if (2 * g->used >= g->size && resize(g, g->size ? 2 * g->size : 1024, err))
        return -1;
    size_t slot = cdp_random(key, 0) & (g->size - 1);
    for (; g->entry[slot].used; slot = (slot + 1) & (g->size - 1)) {
        const struct entry *e = &g->entry[slot];
        if (e->key == key && e->length == length && !memcmp(e->text, text, length)) {
            *group = e->group;
            return 0;
        }
    }
    *group = (uint32_t)g->used++;
    g->entry[slot] = (struct entry){key, text, length, *group, true};
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

static int fail_line(const struct parser *p, const char *wanted, const char *text, size_t length,
                     struct cdp_err *err)
{
    char word[WORD + 1];
    size_t size = length < WORD ? length : WORD;
    for (size_t i = 0; i < size; i++)
        word[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
    word[size] = '\0';
    return cdp_fail(err, "%s: line %llu: expected %s, got '%s'", p->name,
                    (unsigned long long)p->line, wanted, word);
}

static int parse_line(struct parser *p, const char *text, size_t length, struct cdp_err *err)
{
    struct cdp_labels *labels = p->labels;
    int64_t value = 0;
    bool integer = !parse_integer(text, length, &value);
    if (!length)
        return cdp_fail(err, "%s: line %llu is empty", p->name, (unsigned long long)p->line);
    if (p->line == 1)
        labels->integers = integer;
    if (p->discards && (!integer || value < -1))
        return fail_line(p, "a cluster's number, or -1", text, length, err);
    if (labels->integers && !integer)
        return fail_line(p, "an integer, as on the lines before", text, length, err);
    if (labels->items >= UINT32_MAX - 1)
        return cdp_fail(err, "%s: more than 2^32 - 2 labels", p->name);
    if (cdp_grow(&labels->group, &p->room, labels->items + 1, sizeof *labels->group, "labels", err))
        return -1;
    uint32_t *group = &labels->group[labels->items++];
    if (p->discards && value == -1) {
        *group = CDP_NO_LABEL;
        return 0;
    }
    if (labels->integers)
        return number(&p->groups, (uint64_t)value, "", 0, group, err);
    return number(&p->groups, XXH3_64bits(text, length), text, length, group, err);
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
    free(p.groups.entry);
    cdp_input_close(input);
    if (status)
        cdp_labels_free(labels);
    return status;
}

void cdp_labels_free(struct cdp_labels *labels)
{
    free(labels->group);
    memset(labels, 0, sizeof *labels);
}

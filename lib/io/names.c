// SPDX-License-Identifier: MIT
#include "io/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define XXH_STATIC_LINKING_ONLY // for a state on the stack
#include <xxhash.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/mem.h"
#include "io/input.h"

struct cdp_names {
    char *text; // all names, concatenated
    size_t text_room;
    uint64_t *end; // end offset of each name in `text`
    size_t end_room;
    uint64_t count;
    uint64_t
        *slot;   // open addressing: the upper half of a name's hash, and its number + 1; 0 = empty
    size_t size; // a power of two
};

int cdp_names_new(struct cdp_names **names, struct cdp_err *err)
{
    *names = cdp_zalloc(1, sizeof **names, "names", err);
    return *names ? 0 : -1;
}

void cdp_names_free(struct cdp_names *n)
{
    if (n) {
        free(n->text);
        free(n->end);
        free(n->slot);
    }
    free(n);
}

uint64_t cdp_names_count(const struct cdp_names *n)
{
    return n->count;
}

const char *cdp_names_get(const struct cdp_names *n, uint64_t id, size_t *length)
{
    uint64_t begin = id ? n->end[id - 1] : 0;
    *length = n->end[id] - begin;
    return n->text + begin;
}

static uint64_t hash_of(const char *name, size_t length)
{
    return XXH3_64bits_withSeed(name, length, cdp_hash_key());
}

static uint64_t slot_of(uint64_t hash, uint64_t id)
{
    return hash >> 32 << 32 | (id + 1);
}

static uint64_t id_of(uint64_t slot)
{
    return (slot & UINT32_MAX) - 1;
}

// The slot of a name, or the empty slot for it.
static size_t find(const struct cdp_names *n, const char *name, size_t length, uint64_t hash)
{
    size_t at = hash & (n->size - 1);
    for (; n->slot[at]; at = (at + 1) & (n->size - 1)) {
        if (n->slot[at] >> 32 != hash >> 32)
            continue;
        size_t other;
        const char *text = cdp_names_get(n, id_of(n->slot[at]), &other);
        if (other == length && !memcmp(text, name, length))
            break;
    }
    return at;
}

bool cdp_names_find(const struct cdp_names *n, const char *name, size_t length, uint64_t *id)
{
    size_t at = n->size ? find(n, name, length, hash_of(name, length)) : 0;
    if (!n->size || !n->slot[at])
        return false;
    *id = id_of(n->slot[at]);
    return true;
}

static int resize(struct cdp_names *n, size_t size, struct cdp_err *err)
{
    uint64_t *slot = cdp_zalloc(size, sizeof *slot, "names", err);
    if (!slot)
        return -1;
    for (uint64_t id = 0; id < n->count; id++) {
        size_t length;
        const char *name = cdp_names_get(n, id, &length);
        uint64_t hash = hash_of(name, length);
        size_t at = hash & (size - 1);
        while (slot[at])
            at = (at + 1) & (size - 1);
        slot[at] = slot_of(hash, id);
    }
    free(n->slot);
    n->slot = slot;
    n->size = size;
    return 0;
}

bool cdp_name_valid(const char *name, size_t length)
{
    if (!length || length > UINT16_MAX || (length >= 3 && !memcmp(name, "\xEF\xBB\xBF", 3)))
        return false;
    for (size_t i = 0; i < length; i++) {
        if (name[i] == '\t' || name[i] == '\n' || name[i] == '\r' || !name[i])
            return false;
    }
    return true;
}

int cdp_names_add(struct cdp_names *n, const char *name, size_t length, uint64_t *id,
                  struct cdp_err *err)
{
    if (!cdp_name_valid(name, length))
        return cdp_fail(err, "expected " CDP_NAME_WANTED);
    if (n->count >= n->size / 4 * 3 && resize(n, n->size ? 2 * n->size : 1024, err))
        return -1;
    uint64_t hash = hash_of(name, length);
    size_t at = find(n, name, length, hash);
    if (n->slot[at]) {
        *id = id_of(n->slot[at]);
        return 0;
    }
    if (n->count >= UINT32_MAX - 1)
        return cdp_fail(err, "more than 2^32 - 2 names");
    size_t used = n->count ? n->end[n->count - 1] : 0;
    if (cdp_grow(&n->text, &n->text_room, used + length, 1, "names", err) ||
        cdp_grow(&n->end, &n->end_room, n->count + 1, sizeof *n->end, "names", err))
        return -1;
    memcpy(n->text + used, name, length);
    n->end[n->count] = used + length;
    n->slot[at] = slot_of(hash, n->count);
    *id = n->count++;
    return 0;
}

// A copy of an array; NULL after an error.
static void *copy_of(const void *array, size_t count, size_t size, struct cdp_err *err)
{
    void *copy = cdp_alloc(count, size, "names", err);
    return copy && count ? memcpy(copy, array, count * size) : copy;
}

int cdp_names_copy(struct cdp_names **copy, const struct cdp_names *n, struct cdp_err *err)
{
    if (cdp_names_new(copy, err))
        return -1;
    struct cdp_names *c = *copy;
    *c = (struct cdp_names){.text_room = n->count ? n->end[n->count - 1] : 0,
                            .end_room = n->count,
                            .count = n->count,
                            .size = n->size};
    c->text = copy_of(n->text, c->text_room, 1, err);
    c->end = copy_of(n->end, c->end_room, sizeof *c->end, err);
    c->slot = copy_of(n->slot, c->size, sizeof *c->slot, err);
    if (c->text && c->end && c->slot)
        return 0;
    cdp_names_free(c);
    *copy = NULL;
    return -1;
}

static int add_lines(struct cdp_names *n, const char *file, const char *at, size_t size,
                     struct cdp_err *err)
{
    const char *end = at + size;
    for (uint64_t line = 1; at < end; line++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t length = (size_t)((stop ? stop : end) - at);
        if (length && at[length - 1] == '\r')
            length--;
        uint64_t id, before = n->count;
        if (!cdp_name_valid(at, length))
            return cdp_fail_line(err, file, line, CDP_NAME_WANTED, at, length);
        if (cdp_names_add(n, at, length, &id, err))
            return -1;
        if (n->count == before)
            return cdp_fail_line(err, file, line, "a name that no line before has", at, length);
        at = stop ? stop + 1 : end;
    }
    return 0;
}

int cdp_names_read(struct cdp_names **names, const char *file, struct cdp_err *err)
{
    struct cdp_input *input;
    const unsigned char *bytes;
    size_t size;
    if (cdp_names_new(names, err))
        return -1;
    int status = cdp_input_open_text(&input, file, err);
    if (!status) {
        status = cdp_input_whole(input, &bytes, &size, err);
        if (!status)
            status = add_lines(*names, cdp_input_name(input), (const char *)bytes, size, err);
        cdp_input_close(input);
    }
    if (status) {
        cdp_names_free(*names);
        *names = NULL;
    }
    return status;
}

uint64_t cdp_names_digest(const struct cdp_names *n)
{
    XXH64_state_t state;
    XXH64_reset(&state, 0);
    for (uint64_t id = 0; id < n->count; id++) {
        size_t length;
        const char *name = cdp_names_get(n, id, &length);
        unsigned char bytes[4];
        cdp_put_le(bytes, 4, length);
        XXH64_update(&state, bytes, sizeof bytes);
        XXH64_update(&state, name, length);
    }
    uint64_t digest = XXH64_digest(&state);
    return digest ? digest : 1;
}

int cdp_names_join(struct cdp_names **all, struct cdp_names *more, struct cdp_err *err)
{
    struct cdp_names *longer = more->count > (*all)->count ? more : *all;
    struct cdp_names *shorter = longer == more ? *all : more;
    for (uint64_t id = 0; id < shorter->count; id++) {
        size_t a, b;
        const char *name = cdp_names_get(*all, id, &a), *other = cdp_names_get(more, id, &b);
        if (a != b || memcmp(name, other, a) != 0) {
            char text[2][CDP_ITEM_TEXT];
            cdp_fail(err, "node %llu is named '%s', but '%s' before", (unsigned long long)id,
                     cdp_item_text(more, id, text[0]), cdp_item_text(*all, id, text[1]));
            cdp_names_free(more);
            return -1;
        }
    }
    *all = longer;
    cdp_names_free(shorter);
    return 0;
}

const char *cdp_item_text(const struct cdp_names *names, uint64_t id, char text[CDP_ITEM_TEXT])
{
    if (!names) {
        snprintf(text, CDP_ITEM_TEXT, "%llu", (unsigned long long)id);
        return text;
    }
    size_t length, i = 0;
    const char *name = cdp_names_get(names, id, &length);
    for (; i < length && i < CDP_ITEM_TEXT - 4; i++)
        text[i] = (unsigned char)name[i] < 32 || name[i] == 127 ? '?' : name[i];
    snprintf(text + i, CDP_ITEM_TEXT - i, "%s", i < length ? "..." : "");
    return text;
}

int cdp_item_write(struct cdp_output *output, const struct cdp_names *names, uint64_t id,
                   struct cdp_err *err)
{
    size_t length;
    if (!names)
        return cdp_output_printf(output, err, "%llu", (unsigned long long)id);
    const char *name = cdp_names_get(names, id, &length);
    return cdp_output_write(output, name, length, err);
}

int cdp_names_write(const struct cdp_names *n, struct cdp_output *output, struct cdp_err *err)
{
    for (uint64_t id = 0; id < n->count; id++) {
        size_t length;
        const char *name = cdp_names_get(n, id, &length);
        if (cdp_output_write(output, name, length, err) || cdp_output_write(output, "\n", 1, err))
            return -1;
    }
    return 0;
}

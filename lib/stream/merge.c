// SPDX-License-Identifier: MIT
#include "stream/merge.h"

#include <stdlib.h>

#include "base/mem.h"

// The next edge of a stream.
struct cursor {
    struct cdp_reader *reader;
    struct cdp_block block;
    size_t at;
    bool ended;
};

struct entry {
    float distance;
    uint32_t target;
};

// The neighbours of one item.
struct lists {
    struct entry *entry;
    size_t count, room;
    uint32_t *target; // k, for the sink
    float *distance;
};

// Reads on where a block is used up.
static int refill(struct cursor *c, struct cdp_progress *progress, struct cdp_err *err)
{
    while (!c->ended && c->at == c->block.edges) {
        int status = cdp_reader_next(c->reader, &c->block, err);
        if (status < 0)
            return -1;
        c->ended = status == 0;
        c->at = 0;
        cdp_progress_add(progress, c->ended ? 0 : c->block.edges);
    }
    return 0;
}

// Takes the edges of an item.
static int take(struct lists *l, struct cursor *c, uint64_t item, struct cdp_progress *progress,
                struct cdp_err *err)
{
    while (!c->ended && c->block.source[c->at] == item) {
        uint64_t target = c->block.target[c->at];
        if (target >= UINT32_MAX || item >= UINT32_MAX)
            return cdp_fail(err, "%s: item %llu: at most 2^32 - 2 items can be merged",
                            cdp_reader_name(c->reader),
                            (unsigned long long)(target > item ? target : item));
        if (cdp_grow(&l->entry, &l->room, l->count + 1, sizeof *l->entry, "neighbours", err))
            return -1;
        l->entry[l->count++] = (struct entry){c->block.value[0][c->at++], (uint32_t)target};
        if (refill(c, progress, err))
            return -1;
    }
    return 0;
}

static int compare(float a, float b)
{
    return (a > b) - (a < b);
}

static int by_target(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    return x->target != y->target ? (x->target > y->target ? 1 : -1)
                                  : compare(x->distance, y->distance);
}

static int by_distance(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int order = compare(x->distance, y->distance);
    return order ? order : (x->target > y->target) - (x->target < y->target);
}

// The k nearest different ones. Returns how many there are.
static uint32_t choose(struct lists *l, uint32_t k)
{
    size_t different = 0;
    qsort(l->entry, l->count, sizeof *l->entry, by_target);
    for (size_t n = 0; n < l->count; n++) {
        if (!different || l->entry[n].target != l->entry[different - 1].target)
            l->entry[different++] = l->entry[n];
    }
    qsort(l->entry, different, sizeof *l->entry, by_distance);
    uint32_t count = different < k ? (uint32_t)different : k;
    for (uint32_t n = 0; n < count; n++) {
        l->target[n] = l->entry[n].target;
        l->distance[n] = l->entry[n].distance;
    }
    return count;
}

// The smallest item that a stream still has; UINT64_MAX = none has any.
static uint64_t next_item(const struct cursor *cursors, unsigned count)
{
    uint64_t item = UINT64_MAX;
    for (unsigned c = 0; c < count; c++) {
        const struct cursor *cursor = &cursors[c];
        if (!cursor->ended && cursor->block.source[cursor->at] < item)
            item = cursor->block.source[cursor->at];
    }
    return item;
}

int cdp_merge_lists(struct cdp_reader *const *readers, unsigned count, uint32_t k,
                    cdp_merge_sink *sink, void *context, struct cdp_progress *progress,
                    struct cdp_err *err)
{
    struct lists l = {0};
    struct cursor *cursors = cdp_zalloc(count, sizeof *cursors, "streams", err);
    l.target = cdp_alloc(k, sizeof *l.target, "neighbours", err);
    l.distance = cdp_alloc(k, sizeof *l.distance, "distances", err);
    int status = cursors && l.target && l.distance ? 0 : -1;
    for (unsigned c = 0; !status && c < count; c++) {
        cursors[c].reader = readers[c];
        status = refill(&cursors[c], progress, err);
    }
    uint64_t item;
    while (!status && (item = next_item(cursors, count)) != UINT64_MAX) {
        l.count = 0;
        for (unsigned c = 0; !status && c < count; c++)
            status = take(&l, &cursors[c], item, progress, err);
        if (!status)
            status = sink(context, item, l.target, l.distance, choose(&l, k), err);
    }
    free(cursors);
    free(l.entry);
    free(l.target);
    free(l.distance);
    return status;
}

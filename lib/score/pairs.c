// SPDX-License-Identifier: MIT
#include <stdlib.h>

#include "base/mem.h"
#include "base/sort.h"
#include "score/score.h"

// The other item of a pair whose smaller id is the current row.
struct partner {
    uint32_t id;
    uint32_t reverse; // 1 = the edge is from the larger id
    float score;
};

// The kept edges to a smaller id among the rows, grouped by that id.
struct reversed {
    uint64_t *offset; // rows + 1
    uint32_t *source;
    float *score;
};

// How many of the rows have an id below this one.
static uint64_t rows_below(uint64_t id, const uint64_t rows[2])
{
    uint64_t end = id < rows[1] ? id : rows[1];
    return end > rows[0] ? end - rows[0] : 0;
}

static int reverse(struct reversed *r, const struct cdp_table *base, const uint8_t *keep,
                   const uint64_t rows[2], struct cdp_err *err)
{
    r->offset = cdp_zalloc(base->rows + 2, sizeof *r->offset, "reversed edges", err);
    if (!r->offset)
        return -1;
    for (uint64_t i = 0; i < base->rows; i++) {
        uint64_t below = rows_below(i, rows);
        for (uint64_t e = base->offset[i]; e < base->offset[i + 1]; e++)
            r->offset[base->target[e] + 2] +=
                (!keep || keep[e]) && base->target[e] - rows[0] < below;
    }
    cdp_group_begins(r->offset, base->rows);
    uint64_t count = r->offset[base->rows + 1];
    r->source = cdp_alloc(count, sizeof *r->source, "reversed edges", err);
    r->score = cdp_alloc(count, sizeof *r->score, "reversed edges", err);
    if (!r->source || !r->score)
        return -1;
    for (uint64_t i = 0; i < base->rows; i++) {
        uint64_t below = rows_below(i, rows);
        for (uint64_t e = base->offset[i]; e < base->offset[i + 1]; e++) {
            if ((!keep || keep[e]) && base->target[e] - rows[0] < below) {
                uint64_t at = r->offset[base->target[e] + 1]++;
                r->source[at] = (uint32_t)i;
                r->score[at] = base->distance[e];
            }
        }
    }
    return 0;
}

static int by_id(const void *a, const void *b)
{
    const struct partner *x = a, *y = b;
    if (x->id != y->id)
        return x->id < y->id ? -1 : 1;
    return (int)x->reverse - (int)y->reverse;
}

static int emit_row(uint64_t i, struct partner *list, size_t count, cdp_pair_sink *sink,
                    void *context, struct cdp_err *err)
{
    qsort(list, count, sizeof *list, by_id);
    for (size_t p = 0; p < count; p++) {
        if (p > 0 && list[p].id == list[p - 1].id)
            continue;
        if (sink(context, i, list[p].id, &list[p].score, err))
            return -1;
    }
    return 0;
}

int cdp_pairs(const struct cdp_table *base, const uint8_t *keep, const uint64_t rows[2],
              cdp_pair_sink *sink, void *context, struct cdp_err *err)
{
    struct reversed r = {0};
    struct partner *list = NULL;
    size_t room = 0;
    int status = reverse(&r, base, keep, rows, err);
    for (uint64_t i = rows[0]; !status && i < rows[1]; i++) {
        size_t count = 0;
        uint64_t own = base->offset[i + 1] - base->offset[i];
        uint64_t others = r.offset[i + 1] - r.offset[i];
        status = cdp_grow(&list, &room, own + others, sizeof *list, "a row's pairs", err);
        if (status)
            break;
        for (uint64_t e = base->offset[i]; e < base->offset[i + 1]; e++) {
            if ((!keep || keep[e]) && base->target[e] > i)
                list[count++] = (struct partner){base->target[e], 0, base->distance[e]};
        }
        for (uint64_t e = r.offset[i]; e < r.offset[i + 1]; e++)
            list[count++] = (struct partner){r.source[e], 1, r.score[e]};
        if (count)
            status = emit_row(i, list, count, sink, context, err);
    }
    free(list);
    free(r.offset);
    free(r.source);
    free(r.score);
    return status;
}

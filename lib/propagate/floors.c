// SPDX-License-Identifier: MIT
#include "propagate/floors.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/sort.h"

enum {
    CHUNK = 1 << 14,  // pairs that are allocated at a time
    ALWAYS = 1 << 18, // pairs that are remembered in any case: 3 MB
};

struct scored {
    uint32_t i, j; // i < j
    float score;
};

struct chunk {
    struct chunk *before;
    size_t pairs;
    struct scored pair[CHUNK];
};

// The pairs so far.
struct cdp_floors_pairs {
    struct chunk *last; // those that are remembered
    size_t count;
    uint32_t top; // largest id
    bool repeats; // all are to be remembered
    bool ascending;
    bool forgotten;          // there were too many
    uint64_t last_i, last_j; // of the last pair while they ascend
    float *score;            // without pairs
    size_t scores, score_room;
};

int cdp_floors_new(struct cdp_floors *f, double first, double step, size_t count,
                   struct cdp_err *err)
{
    *f = (struct cdp_floors){.count = count};
    f->threshold = cdp_alloc(count, sizeof *f->threshold, "thresholds", err);
    f->floor = cdp_alloc(count, sizeof *f->floor, "thresholds", err);
    f->pairs = cdp_zalloc(1, sizeof *f->pairs, "thresholds", err);
    if (!f->threshold || !f->floor || !f->pairs) {
        cdp_floors_free(f);
        return -1;
    }
    for (size_t t = 0; t < count; t++) {
        f->threshold[t] = (float)(first + step * (double)t);
        f->floor[t] = INFINITY;
    }
    f->pairs->ascending = true;
    return 0;
}

static void forget(struct cdp_floors_pairs *p)
{
    for (struct chunk *chunk = p->last, *before; chunk; chunk = before) {
        before = chunk->before;
        free(chunk);
    }
    p->last = NULL;
}

void cdp_floors_free(struct cdp_floors *f)
{
    if (f->pairs) {
        forget(f->pairs);
        free(f->pairs->score);
    }
    free(f->pairs);
    free(f->threshold);
    free(f->floor);
    *f = (struct cdp_floors){0};
}

void cdp_floors_repeats(struct cdp_floors *f)
{
    f->pairs->repeats = true;
}

// Lowers the floor of the highest threshold below the score; those below it follow in the end.
static inline void lower(struct cdp_floors *f, float score)
{
    size_t low = 0, high = f->count; // thresholds before `low` are below the score
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (f->threshold[middle] < score)
            low = middle + 1;
        else
            high = middle;
    }
    if (low > 0 && score < f->floor[low - 1])
        f->floor[low - 1] = score;
}

static void lower_all(struct cdp_floors *f, const float *score, size_t count)
{
    if (f->count > 1) {
        for (size_t e = 0; e < count; e++)
            lower(f, score[e]);
        return;
    }
    float threshold = f->threshold[0], floor = f->floor[0];
    for (size_t e = 0; e < count; e++)
        floor = score[e] > threshold && score[e] < floor ? score[e] : floor;
    f->floor[0] = floor;
}

static uint64_t smaller(uint64_t i, uint64_t j)
{
    return i < j ? i : j;
}

static uint64_t larger(uint64_t i, uint64_t j)
{
    return i < j ? j : i;
}

// Whether the pairs ascend, and from the last one on.
static bool ascend(struct cdp_floors_pairs *p, const uint64_t *i, const uint64_t *j, size_t pairs)
{
    uint64_t last_i = p->last_i, last_j = p->last_j;
    bool descends = false;
    for (size_t e = 0; e < pairs; e++) {
        uint64_t a = smaller(i[e], j[e]), b = larger(i[e], j[e]);
        descends |= (a < last_i) | ((a == last_i) & (b <= last_j));
        last_i = a;
        last_j = b;
    }
    p->last_i = last_i;
    p->last_j = last_j;
    return !descends;
}

static int remember(struct cdp_floors_pairs *p, const uint64_t *i, const uint64_t *j,
                    const float *score, size_t pairs, struct cdp_err *err)
{
    for (size_t e = 0; e < pairs;) {
        if (!p->last || p->last->pairs == CHUNK) {
            struct chunk *chunk = cdp_alloc(1, sizeof *chunk, "pairs that may repeat", err);
            if (!chunk)
                return -1;
            chunk->before = p->last;
            chunk->pairs = 0;
            p->last = chunk;
        }
        struct chunk *chunk = p->last;
        uint32_t top = p->top;
        for (; e < pairs && chunk->pairs < CHUNK; e++) {
            uint32_t a = (uint32_t)smaller(i[e], j[e]), b = (uint32_t)larger(i[e], j[e]);
            chunk->pair[chunk->pairs++] = (struct scored){a, b, score[e]};
            top = b > top ? b : top;
        }
        p->top = top;
    }
    p->count += pairs;
    return 0;
}

int cdp_floors_add(struct cdp_floors *f, const uint64_t *i, const uint64_t *j, const float *score,
                   size_t pairs, struct cdp_err *err)
{
    struct cdp_floors_pairs *p = f->pairs;
    p->ascending = p->ascending && ascend(p, i, j, pairs);
    if (!p->forgotten && !p->repeats && p->count + pairs > ALWAYS) {
        forget(p);
        p->forgotten = true;
    }
    if (p->forgotten && !p->ascending)
        return cdp_fail(err,
                        "streams laid end to end may repeat pairs, whose highest scores count: "
                        "name each stream as a file of its own");
    if (!p->forgotten && remember(p, i, j, score, pairs, err))
        return -1;
    if (p->ascending)
        lower_all(f, score, pairs);
    return 0;
}

int cdp_floors_add_score(struct cdp_floors *f, float score, struct cdp_err *err)
{
    struct cdp_floors_pairs *p = f->pairs;
    if (cdp_grow(&p->score, &p->score_room, p->scores + 1, sizeof *p->score, "floors", err))
        return -1;
    p->score[p->scores++] = score;
    return 0;
}

// A remembered pair in the list of its smaller item.
struct partner {
    uint32_t item;
    float score;
};

// Lowers the floors by the best score of each pair. `begin` has room for one number an item and two
// more, `best` for one an item.
static void lower_by_best(struct cdp_floors *f, uint64_t *begin, struct partner *partner,
                          float *best)
{
    const struct cdp_floors_pairs *p = f->pairs;
    uint64_t items = (uint64_t)p->top + 1;
    for (const struct chunk *chunk = p->last; chunk; chunk = chunk->before) {
        for (size_t e = 0; e < chunk->pairs; e++)
            begin[chunk->pair[e].i + UINT64_C(2)]++;
    }
    cdp_group_begins(begin, items);
    for (uint64_t i = 0; i < items; i++)
        best[i] = -INFINITY;
    for (const struct chunk *chunk = p->last; chunk; chunk = chunk->before) {
        for (size_t e = 0; e < chunk->pairs; e++) {
            const struct scored *pair = &chunk->pair[e];
            partner[begin[pair->i + UINT64_C(1)]++] = (struct partner){pair->j, pair->score};
        }
    }
    for (uint64_t i = 0; i < items; i++) {
        for (uint64_t e = begin[i]; e < begin[i + 1]; e++) {
            float *score = &best[partner[e].item];
            *score = partner[e].score > *score ? partner[e].score : *score;
        }
        for (uint64_t e = begin[i]; e < begin[i + 1]; e++) {
            float *score = &best[partner[e].item];
            if (*score > -INFINITY) // the first of its repeats
                lower(f, *score);
            *score = -INFINITY;
        }
    }
}

static int settle_repeats(struct cdp_floors *f, struct cdp_err *err)
{
    const struct cdp_floors_pairs *p = f->pairs;
    size_t items = (size_t)p->top + 1;
    uint64_t *begin = cdp_zalloc(items + 2, sizeof *begin, "pairs that may repeat", err);
    struct partner *partner = cdp_alloc(p->count, sizeof *partner, "pairs that may repeat", err);
    float *best = cdp_alloc(items, sizeof *best, "pairs that may repeat", err);
    int status = begin && partner && best ? 0 : -1;
    for (size_t t = 0; t < f->count; t++)
        f->floor[t] = INFINITY;
    if (!status)
        lower_by_best(f, begin, partner, best);
    free(begin);
    free(partner);
    free(best);
    return status;
}

int cdp_floors_settle(struct cdp_floors *f, struct cdp_err *err)
{
    struct cdp_floors_pairs *p = f->pairs;
    if (!p->ascending && settle_repeats(f, err))
        return -1;
    forget(p);
    for (size_t s = 0; s < p->scores; s++)
        lower(f, p->score[s]);
    for (size_t t = f->count; t-- > 1;)
        f->floor[t - 1] = fminf(f->floor[t - 1], f->floor[t]);
    return 0;
}

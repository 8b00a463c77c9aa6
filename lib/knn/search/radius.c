// SPDX-License-Identifier: MIT
#include "knn/search/radius.h"

#include "base/mem.h"

enum { CLASSES = 1 << 16 }; // nearest first

static uint64_t class_of(const struct cdp_candidates *lists, uint32_t place, uint64_t i)
{
    return lists->entry[i * lists->k + place] >> 48;
}

static void count_classes(const struct cdp_candidates *lists, uint32_t place,
                          uint64_t count[CLASSES])
{
    memset(count, 0, CLASSES * sizeof *count);
    for (uint64_t i = 0; i < lists->count; i++)
        count[class_of(lists, place, i)]++;
}

uint32_t *cdp_candidates_farthest(const struct cdp_candidates *lists, uint32_t place, double share,
                                  uint64_t *count, struct cdp_err *err)
{
    uint64_t n = lists->count, here[CLASSES], from = CLASSES;
    count_classes(lists, place, here);
    for (*count = 0; from > 0 && (double)*count * share < (double)n; from--)
        *count += here[from - 1];
    uint32_t *items = cdp_alloc(*count, sizeof *items, "items", err);
    uint64_t at = 0;
    for (uint64_t i = 0; items && i < n; i++) {
        if (class_of(lists, place, i) >= from)
            items[at++] = (uint32_t)i;
    }
    return items;
}

uint32_t *cdp_candidates_sample(const struct cdp_candidates *lists, uint32_t place, uint64_t count,
                                struct cdp_err *err)
{
    uint64_t n = lists->count, rank[CLASSES], sum = 0, at = 0;
    uint32_t *items = cdp_alloc(count, sizeof *items, "a sample", err);
    count_classes(lists, place, rank);
    for (uint64_t c = 0; c < CLASSES; c++) {
        sum += rank[c];
        rank[c] = sum - rank[c];
    }
    for (uint64_t i = 0; items && i < n; i++) {
        uint64_t own = rank[class_of(lists, place, i)]++;
        if (own * count / n != (own + 1) * count / n)
            items[at++] = (uint32_t)i;
    }
    return items;
}

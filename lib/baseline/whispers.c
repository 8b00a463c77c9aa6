// SPDX-License-Identifier: MIT
#include "baseline/whispers.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/random.h"

enum { TOLD = 1024 }; // items from one count of the progress to the next

struct turn {
    uint64_t key;
    uint32_t item;
};

static int by_key(const void *a, const void *b)
{
    const struct turn *x = a, *y = b;
    if (x->key != y->key)
        return x->key > y->key ? -1 : 1;
    return x->item < y->item ? -1 : x->item > y->item;
}

// The class that an item takes. `sum`, of each class, is 0 before and after.
static uint32_t loudest(const struct cdp_links *l, uint32_t item, const uint32_t *label,
                        uint64_t seed, double *sum)
{
    uint32_t own = label[item], best = own;
    for (uint64_t e = l->begin[item]; e < l->begin[item + 1]; e++)
        sum[label[l->target[e]]] += (double)l->weight[e];
    for (uint64_t e = l->begin[item]; e < l->begin[item + 1]; e++) {
        uint32_t class = label[l->target[e]];
        if (sum[class] > sum[best] ||
            (sum[class] == sum[best] && best != own && class != best &&
             (class == own || cdp_random(seed, class) > cdp_random(seed, best))))
            best = class;
    }
    for (uint64_t e = l->begin[item]; e < l->begin[item + 1]; e++)
        sum[label[l->target[e]]] = 0;
    return best;
}

int64_t cdp_whispers(const struct cdp_links *l, uint64_t seed, uint32_t rounds, uint32_t *label,
                     struct cdp_progress *progress, struct cdp_err *err)
{
    struct turn *turn = cdp_alloc(l->items, sizeof *turn, "an order", err);
    double *sum = cdp_zalloc(l->items, sizeof *sum, "classes", err);
    bool any = turn && sum;
    int64_t round = any ? 0 : -1;
    cdp_progress_start(progress, "whispers", "items", 0);
    for (uint32_t i = 0; i < l->items; i++)
        label[i] = i;
    for (; any && round < rounds; round++) {
        uint64_t own = cdp_random(seed, (uint64_t)round);
        cdp_progress_stage(progress, CDP_PROGRESS_ROUND, l->items);
        any = false;
        for (uint32_t i = 0; i < l->items; i++)
            turn[i] = (struct turn){cdp_random(own, i), i};
        qsort(turn, l->items, sizeof *turn, by_key);
        for (uint64_t t = 0; t < l->items && !cdp_progress_stopped(progress); t++) {
            uint32_t item = turn[t].item, now = loudest(l, item, label, own, sum);
            any = any || now != label[item];
            label[item] = now;
            if (t % TOLD == TOLD - 1)
                cdp_progress_add(progress, TOLD);
        }
        any = any && !cdp_progress_stopped(progress);
    }
    free(turn);
    free(sum);
    return cdp_progress_check(progress, err) ? -1 : round;
}

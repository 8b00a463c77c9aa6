// SPDX-License-Identifier: MIT
#include "knn/shortlist.h"

#include <stdlib.h>

#include "base/mem.h"
#include "knn/lock.h"

int cdp_shortlists_new(struct cdp_shortlists *s, uint64_t count, uint32_t k, struct cdp_err *err)
{
    *s = (struct cdp_shortlists){.k = k, .count = count};
    s->entry = cdp_alloc_aligned(count, k * sizeof *s->entry, "neighbours", err);
    s->lock = cdp_zalloc(count, sizeof *s->lock, "neighbours", err);
    if (!s->entry || !s->lock) {
        cdp_shortlists_free(s);
        return -1;
    }
    memset(s->entry, 0xFF, count * k * sizeof *s->entry);
    return 0;
}

void cdp_shortlists_free(struct cdp_shortlists *s)
{
    free(s->entry);
    free(s->lock);
    *s = (struct cdp_shortlists){0};
}

void cdp_shortlists_offer(uint64_t *list, uint32_t k, const struct cdp_kernel *kernel,
                          const uint32_t *items, const float *scores, uint32_t count)
{
    uint64_t entry[CDP_TILE_COLUMNS], last = list[k - 1];
    uint32_t nearer = 0;
    for (uint32_t i = 0; i < count; i++) {
        entry[nearer] = cdp_entry(scores[i], items[i]);
        nearer += entry[nearer] < last;
    }
    kernel->merge(list, k, entry, nearer);
}

int cdp_shortlists_reverse(struct cdp_shortlists *s, const struct cdp_kernel *kernel, int threads,
                           struct cdp_err *err)
{
    // From a copy, so that what is offered does not depend on what was added meanwhile.
    uint64_t *before = cdp_alloc(s->count, s->k * sizeof *before, "neighbours", err);
    if (!before)
        return -1;
    memcpy(before, s->entry, s->count * s->k * sizeof *before);
#pragma omp parallel for num_threads(threads) schedule(dynamic, 1024)
    for (uint64_t i = 0; i < s->count; i++) {
        const uint64_t *list = before + i * s->k;
        for (uint32_t r = 0; r < s->k && list[r] != CDP_NOBODY; r++) {
            uint64_t query = cdp_entry_id(list[r]), entry = list[r] >> 32 << 32 | i;
            // What was too far has not become near enough.
            if (entry >= before[query * s->k + s->k - 1])
                continue;
            cdp_lock(&s->lock[query]);
            kernel->merge(s->entry + query * s->k, s->k, &entry, 1);
            cdp_unlock(&s->lock[query]);
        }
    }
    free(before);
    return 0;
}

int cdp_shortlists_take(struct cdp_shortlists *some, const struct cdp_shortlists *s,
                        const uint32_t *queries, uint64_t count, struct cdp_err *err)
{
    if (cdp_shortlists_new(some, count, s->k, err))
        return -1;
    for (uint64_t i = 0; i < count; i++)
        memcpy(some->entry + i * s->k, s->entry + (uint64_t)queries[i] * s->k,
               s->k * sizeof *s->entry);
    return 0;
}

void cdp_shortlists_put(struct cdp_shortlists *s, const struct cdp_shortlists *some,
                        const uint32_t *queries)
{
    for (uint64_t i = 0; i < some->count; i++)
        memcpy(s->entry + (uint64_t)queries[i] * s->k, some->entry + i * s->k,
               s->k * sizeof *s->entry);
}

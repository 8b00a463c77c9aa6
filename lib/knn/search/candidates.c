// SPDX-License-Identifier: MIT
#include "knn/search/candidates.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/mem.h"
#include "knn/search/lock.h"

static int allocate(struct cdp_candidates *s, uint64_t count, uint32_t k, struct cdp_err *err)
{
    *s = (struct cdp_candidates){.k = k, .count = count};
    s->entry = cdp_alloc_aligned(count, k * sizeof *s->entry, "neighbours", err);
    s->lock = cdp_zalloc(count, sizeof *s->lock, "neighbours", err);
    if (!s->entry || !s->lock) {
        cdp_candidates_free(s);
        return -1;
    }
    return 0;
}

int cdp_candidates_new(struct cdp_candidates *s, uint64_t count, uint32_t k, int threads,
                       struct cdp_err *err)
{
    if (allocate(s, count, k, err))
        return -1;
#pragma omp parallel for num_threads(threads) schedule(static)
    for (uint64_t i = 0; i < count * k; i++)
        s->entry[i] = CDP_CANDIDATE_NONE;
    return 0;
}

void cdp_candidates_free(struct cdp_candidates *s)
{
    free(s->entry);
    free(s->lock);
    *s = (struct cdp_candidates){0};
}

int cdp_candidates_grow(struct cdp_candidates *s, uint32_t k, int threads, struct cdp_err *err)
{
    struct cdp_candidates grown;
    if (cdp_candidates_new(&grown, s->count, k, threads, err))
        return -1;
#pragma omp parallel for num_threads(threads) schedule(static)
    for (uint64_t i = 0; i < s->count; i++)
        memcpy(grown.entry + i * k, s->entry + i * s->k, s->k * sizeof *s->entry);
    cdp_candidates_free(s);
    *s = grown;
    return 0;
}

void cdp_candidates_add(uint64_t *list, uint32_t k, const struct cdp_kernel *kernel,
                        const uint32_t *items, const float *scores, uint32_t count)
{
    uint64_t entry[CDP_TILE_COLUMNS], last = list[k - 1];
    uint32_t nearer = 0;
    for (uint32_t i = 0; i < count; i++) {
        entry[nearer] = cdp_candidate(scores[i], items[i]);
        nearer += entry[nearer] < last;
    }
    if (nearer > 0)
        kernel->merge(list, k, entry, nearer);
}

// What a part of the lists offers to others.
struct offers {
    uint32_t *query;
    uint64_t *entry;
    uint64_t count;
};

// Whether an ascending list holds an entry.
static bool holds(const uint64_t *list, uint32_t k, uint64_t entry)
{
    uint32_t first = 0;
    for (uint32_t left = k; left > 1; left -= left / 2)
        first += list[first + left / 2 - 1] < entry ? left / 2 : 0;
    return list[first] == entry;
}

// Collects what the list of an item offers: what was too far does not become near enough.
static void collect(struct offers *o, const struct cdp_candidates *s, uint64_t item)
{
    const uint64_t *list = s->entry + item * s->k;
    for (uint32_t r = 0; r < s->k && list[r] != CDP_CANDIDATE_NONE; r++) {
        uint64_t query = cdp_candidate_id(list[r]), entry = list[r] >> 32 << 32 | item;
        o->query[o->count] = (uint32_t)query;
        o->entry[o->count] = entry;
        const uint64_t *other = s->entry + query * s->k;
        o->count += entry < other[s->k - 1] && !holds(other, s->k, entry);
    }
}

static void add(struct cdp_candidates *s, const struct offers *o, const struct cdp_kernel *kernel)
{
    for (uint64_t i = 0; i < o->count; i++) {
        uint64_t to = o->query[i];
        cdp_lock(&s->lock[to]);
        kernel->merge(s->entry + to * s->k, s->k, &o->entry[i], 1);
        cdp_unlock(&s->lock[to]);
    }
}

int cdp_candidates_add_reverse(struct cdp_candidates *s, const uint32_t *queries, uint64_t count,
                               const struct cdp_kernel *kernel, int threads, struct cdp_err *err)
{
    // First what is offered, then the adding, so that the one does not depend on the other. Few
    // entries are: most of this room is never touched.
    uint64_t parts = (uint64_t)threads, n = queries ? count : s->count;
    struct offers *part = cdp_zalloc(parts, sizeof *part, "neighbours", err);
    uint64_t *entry = cdp_alloc(n * s->k, sizeof *entry, "neighbours", err);
    uint32_t *query = cdp_alloc(n * s->k, sizeof *query, "neighbours", err);
    bool room = part && entry && query;
#pragma omp parallel num_threads(threads) if (room)
    {
#pragma omp for schedule(static, 1)
        for (uint64_t p = 0; p < (room ? parts : 0); p++) {
            uint64_t first = p * n / parts;
            part[p] = (struct offers){query + first * s->k, entry + first * s->k, 0};
            for (uint64_t i = first; i < (p + 1) * n / parts; i++)
                collect(&part[p], s, queries ? queries[i] : i);
        }
#pragma omp for schedule(static, 1)
        for (uint64_t p = 0; p < (room ? parts : 0); p++)
            add(s, &part[p], kernel);
    }
    free(part);
    free(entry);
    free(query);
    return room ? 0 : -1;
}

int cdp_candidates_gather(struct cdp_candidates *some, const struct cdp_candidates *s,
                          const uint32_t *queries, uint64_t count, int threads, struct cdp_err *err)
{
    if (allocate(some, count, s->k, err))
        return -1;
#pragma omp parallel for num_threads(threads) schedule(static)
    for (uint64_t i = 0; i < count; i++)
        memcpy(some->entry + i * s->k, s->entry + (uint64_t)queries[i] * s->k,
               s->k * sizeof *s->entry);
    return 0;
}

void cdp_candidates_scatter(struct cdp_candidates *s, const struct cdp_candidates *some,
                            const uint32_t *queries, int threads)
{
#pragma omp parallel for num_threads(threads) schedule(static)
    for (uint64_t i = 0; i < some->count; i++)
        memcpy(s->entry + (uint64_t)queries[i] * s->k, some->entry + i * s->k,
               s->k * sizeof *s->entry);
}

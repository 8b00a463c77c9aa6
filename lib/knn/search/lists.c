// SPDX-License-Identifier: MIT
#include "knn/search/lists.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

// ---- result lists

uint64_t cdp_topk_bytes(uint32_t k)
{
    return (uint64_t)k * (sizeof(double) + sizeof(uint32_t)) + 9;
}

int cdp_topk_new(struct cdp_topk *n, const struct cdp_dataset *data, uint64_t count, uint32_t k,
                 struct cdp_err *err)
{
    *n = (struct cdp_topk){.data = data, .k = k, .count = count};
    n->key = cdp_alloc(count, k * sizeof *n->key, "neighbours", err);
    n->id = cdp_alloc(count, k * sizeof *n->id, "neighbours", err);
    n->found = cdp_alloc(count, sizeof *n->found, "neighbours", err);
    n->threshold = cdp_alloc(count, sizeof *n->threshold, "neighbours", err);
    n->lock = cdp_zalloc(count, sizeof *n->lock, "neighbours", err);
    if (!n->key || !n->id || !n->found || !n->threshold || !n->lock) {
        cdp_topk_free(n);
        return -1;
    }
    cdp_topk_clear(n);
    return 0;
}

void cdp_topk_free(struct cdp_topk *n)
{
    free(n->key);
    free(n->id);
    free(n->found);
    free(n->threshold);
    free(n->lock);
    *n = (struct cdp_topk){0};
}

void cdp_topk_clear(struct cdp_topk *n)
{
    for (uint64_t i = 0; i < n->count; i++) {
        n->found[i] = 0;
        n->threshold[i] = -INFINITY;
    }
}

// The place of a neighbour in a list of `found` entries.
static uint32_t place_of(const double *keys, const uint32_t *ids, uint32_t found, uint32_t id,
                         double key)
{
    uint32_t low = 0, high = found;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (keys[middle] < key || (keys[middle] == key && ids[middle] < id))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void cdp_topk_add(struct cdp_topk *n, uint64_t list, uint32_t id, double key)
{
    double *keys = n->key + list * n->k;
    uint32_t *ids = n->id + list * n->k;
    cdp_lock(&n->lock[list]);
    uint32_t found = n->found[list];
    uint32_t at = place_of(keys, ids, found, id, key);
    bool there = at < found && keys[at] == key && ids[at] == id;
    if (at < n->k && !there) {
        if (found < n->k)
            n->found[list] = ++found;
        memmove(keys + at + 1, keys + at, (found - 1 - at) * sizeof *keys);
        memmove(ids + at + 1, ids + at, (found - 1 - at) * sizeof *ids);
        keys[at] = key;
        ids[at] = id;
        if (found == n->k) {
            float threshold = cdp_dataset_threshold(n->data, keys[found - 1]);
            __atomic_store(&n->threshold[list], &threshold, __ATOMIC_RELAXED);
        }
    }
    cdp_unlock(&n->lock[list]);
}

void cdp_topk_fill(struct cdp_topk *n, uint64_t list, uint32_t *id, double *key, uint32_t count)
{
    // Insertion sort, since candidates are nearly sorted.
    for (uint32_t i = 1; i < count; i++) {
        uint32_t own_id = id[i], at = i;
        double own = key[i];
        for (; at > 0 && (key[at - 1] > own || (key[at - 1] == own && id[at - 1] > own_id)); at--) {
            key[at] = key[at - 1];
            id[at] = id[at - 1];
        }
        key[at] = own;
        id[at] = own_id;
    }
    uint32_t found = count < n->k ? count : n->k;
    memcpy(n->key + list * n->k, key, found * sizeof *key);
    memcpy(n->id + list * n->k, id, found * sizeof *id);
    n->found[list] = found;
    if (found == n->k)
        n->threshold[list] = cdp_dataset_threshold(n->data, key[found - 1]);
}
// ---- candidate lists

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

static void copy(uint64_t *to, const uint64_t *from, uint32_t k)
{
    memcpy(to, from, k * sizeof *to);
}

int cdp_candidates_grow(struct cdp_candidates *s, uint32_t k, int threads, struct cdp_err *err)
{
    struct cdp_candidates grown;
    if (cdp_candidates_new(&grown, s->count, k, threads, err))
        return -1;
#pragma omp parallel for num_threads(threads) schedule(static)
    for (uint64_t i = 0; i < s->count; i++)
        copy(cdp_candidates_list(&grown, i), cdp_candidates_list(s, i), s->k);
    cdp_candidates_free(s);
    *s = grown;
    return 0;
}

void cdp_candidates_add(uint64_t *list, uint32_t k, const struct cdp_kernel *kernel,
                        const uint32_t *items, const float *scores, uint32_t count)
{
    uint64_t entry[CDP_TILE_COLUMNS], last = list[k - 1];
    uint32_t better = 0;
    for (uint32_t i = 0; i < count; i++) {
        entry[better] = cdp_candidate(scores[i], items[i]);
        better += entry[better] < last;
    }
    if (better > 0)
        kernel->merge(list, k, entry, better);
}

int cdp_candidates_gather(struct cdp_candidates *some, const struct cdp_candidates *s,
                          const uint32_t *items, uint64_t count, int threads, struct cdp_err *err)
{
    if (allocate(some, count, s->k, err))
        return -1;
#pragma omp parallel for num_threads(threads) schedule(static)
    for (uint64_t i = 0; i < count; i++)
        copy(cdp_candidates_list(some, i), cdp_candidates_list(s, items[i]), s->k);
    return 0;
}

void cdp_candidates_scatter(struct cdp_candidates *s, const struct cdp_candidates *some,
                            const uint32_t *items, int threads)
{
#pragma omp parallel for num_threads(threads) schedule(static)
    for (uint64_t i = 0; i < some->count; i++)
        copy(cdp_candidates_list(s, items[i]), cdp_candidates_list(some, i), s->k);
}

// ---- reverse entries

// New entries for other lists, from one part of the lists.
struct offers {
    uint32_t *to;
    uint64_t *entry;
    uint64_t count;
};

static bool holds(const uint64_t *list, uint32_t k, uint64_t entry)
{
    uint32_t first = 0;
    for (uint32_t left = k; left > 1; left -= left / 2)
        first += list[first + left / 2 - 1] < entry ? left / 2 : 0;
    return list[first] == entry;
}

// Collects the offers of an item's list, except entries that are too far or there already.
static void collect(struct offers *o, const struct cdp_candidates *s, uint64_t item)
{
    const uint64_t *list = cdp_candidates_list(s, item);
    for (uint32_t r = 0; r < s->k && list[r] != CDP_CANDIDATE_NONE; r++) {
        uint32_t to = cdp_candidate_id(list[r]);
        uint64_t entry = list[r] >> 32 << 32 | item;
        const uint64_t *other = cdp_candidates_list(s, to);
        o->to[o->count] = to;
        o->entry[o->count] = entry;
        o->count += entry < other[s->k - 1] && !holds(other, s->k, entry);
    }
}

static void add(struct cdp_candidates *s, const struct offers *o, const struct cdp_kernel *kernel)
{
    for (uint64_t i = 0; i < o->count; i++) {
        uint32_t to = o->to[i];
        cdp_lock(&s->lock[to]);
        kernel->merge(cdp_candidates_list(s, to), s->k, &o->entry[i], 1);
        cdp_unlock(&s->lock[to]);
    }
}

int cdp_candidates_add_reverse(struct cdp_candidates *s, const uint32_t *items, uint64_t count,
                               const struct cdp_kernel *kernel, int threads, struct cdp_err *err)
{
    // All offers are collected before any is added, so that they do not depend on the order. Few
    // entries are: most of this memory is never touched.
    uint64_t parts = (uint64_t)threads, n = items ? count : s->count;
    struct offers *part = cdp_zalloc(parts, sizeof *part, "neighbours", err);
    uint64_t *entry = cdp_alloc(n * s->k, sizeof *entry, "neighbours", err);
    uint32_t *to = cdp_alloc(n * s->k, sizeof *to, "neighbours", err);
    bool room = part && entry && to;
#pragma omp parallel num_threads(threads) if (room)
    {
#pragma omp for schedule(static, 1)
        for (uint64_t p = 0; p < (room ? parts : 0); p++) {
            uint64_t first = p * n / parts;
            part[p] = (struct offers){to + first * s->k, entry + first * s->k, 0};
            for (uint64_t i = first; i < (p + 1) * n / parts; i++)
                collect(&part[p], s, items ? items[i] : i);
        }
#pragma omp for schedule(static, 1)
        for (uint64_t p = 0; p < (room ? parts : 0); p++)
            add(s, &part[p], kernel);
    }
    free(part);
    free(entry);
    free(to);
    return room ? 0 : -1;
}

// ---- lists by radius

enum { CLASSES = 1 << 16 }; // the upper half of a score's 32 bits, smallest radius first

static uint64_t class_of(const struct cdp_candidates *s, uint32_t place, uint64_t i)
{
    return cdp_candidates_list(s, i)[place] >> 48;
}

static void count_classes(const struct cdp_candidates *s, uint32_t place, uint64_t count[CLASSES])
{
    memset(count, 0, CLASSES * sizeof *count);
    for (uint64_t i = 0; i < s->count; i++)
        count[class_of(s, place, i)]++;
}

uint32_t *cdp_candidates_farthest(const struct cdp_candidates *s, uint32_t place, double share,
                                  uint64_t *count, struct cdp_err *err)
{
    uint64_t n = s->count, here[CLASSES], from = CLASSES, at = 0;
    count_classes(s, place, here);
    for (*count = 0; from > 0 && (double)*count * share < (double)n; from--)
        *count += here[from - 1];
    uint32_t *items = cdp_alloc(*count, sizeof *items, "items", err);
    for (uint64_t i = 0; items && i < n; i++) {
        if (class_of(s, place, i) >= from)
            items[at++] = (uint32_t)i;
    }
    return items;
}

uint32_t *cdp_candidates_sample(const struct cdp_candidates *s, uint32_t place, uint64_t count,
                                struct cdp_err *err)
{
    uint64_t n = s->count, rank[CLASSES], sum = 0, at = 0;
    uint32_t *items = cdp_alloc(count, sizeof *items, "a sample", err);
    count_classes(s, place, rank);
    for (uint64_t c = 0; c < CLASSES; c++) {
        sum += rank[c];
        rank[c] = sum - rank[c];
    }
    for (uint64_t i = 0; items && i < n; i++) {
        uint64_t own = rank[class_of(s, place, i)]++;
        if (own * count / n != (own + 1) * count / n)
            items[at++] = (uint32_t)i;
    }
    return items;
}

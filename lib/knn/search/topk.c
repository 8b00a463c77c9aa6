// SPDX-License-Identifier: MIT
#include "knn/search/topk.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "knn/search/lock.h"

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
    n->least = cdp_alloc(count, sizeof *n->least, "neighbours", err);
    n->lock = cdp_zalloc(count, sizeof *n->lock, "neighbours", err);
    if (!n->key || !n->id || !n->found || !n->least || !n->lock) {
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
    free(n->least);
    free(n->lock);
    *n = (struct cdp_topk){0};
}

void cdp_topk_clear(struct cdp_topk *n)
{
    for (uint64_t i = 0; i < n->count; i++) {
        n->found[i] = 0;
        n->least[i] = -INFINITY;
    }
}

// Where a neighbour belongs in a list of `found`.
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

void cdp_topk_add(struct cdp_topk *n, uint64_t query, uint32_t id, double key)
{
    double *keys = n->key + query * n->k;
    uint32_t *ids = n->id + query * n->k;
    cdp_lock(&n->lock[query]);
    uint32_t found = n->found[query];
    uint32_t at = place_of(keys, ids, found, id, key);
    bool there = at < found && keys[at] == key && ids[at] == id;
    if (at < n->k && !there) {
        if (found < n->k)
            n->found[query] = ++found;
        memmove(keys + at + 1, keys + at, (found - 1 - at) * sizeof *keys);
        memmove(ids + at + 1, ids + at, (found - 1 - at) * sizeof *ids);
        keys[at] = key;
        ids[at] = id;
        if (found == n->k) {
            float least = cdp_dataset_threshold(n->data, keys[found - 1]);
            __atomic_store(&n->least[query], &least, __ATOMIC_RELAXED);
        }
    }
    cdp_unlock(&n->lock[query]);
}

bool cdp_topk_holds(struct cdp_topk *n, uint64_t query, uint32_t id)
{
    const uint32_t *ids = n->id + query * n->k;
    uint32_t times = 0;
    cdp_lock(&n->lock[query]);
    for (uint32_t i = 0; i < n->found[query]; i++)
        times += ids[i] == id;
    cdp_unlock(&n->lock[query]);
    return times > 0;
}

void cdp_topk_fill(struct cdp_topk *n, uint64_t query, uint32_t *id, double *key, uint32_t count)
{
    // By insertion, since candidates are nearly in order.
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
    memcpy(n->key + query * n->k, key, found * sizeof *key);
    memcpy(n->id + query * n->k, id, found * sizeof *id);
    n->found[query] = found;
    if (found == n->k)
        n->least[query] = cdp_dataset_threshold(n->data, key[found - 1]);
}

float cdp_topk_threshold(const struct cdp_topk *n, uint64_t query)
{
    float least;
    __atomic_load(&n->least[query], &least, __ATOMIC_RELAXED);
    return least;
}

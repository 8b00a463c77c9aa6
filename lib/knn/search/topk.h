// SPDX-License-Identifier: MIT
#ifndef CDP_KNN_TOPK_H
#define CDP_KNN_TOPK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "knn/data/dataset.h"

// The nearest neighbours so far of a number of queries. Whatever the order in which pairs are
// added, and by however many threads, a list ends as the k of smallest key, ties by smaller id.
struct cdp_topk {
    const struct cdp_dataset *data;
    uint32_t k;
    uint64_t count;  // queries
    double *key;     // count x k, keys of cdp_space_key, ascending by key, then id
    uint32_t *id;    // count x k
    uint32_t *found; // neighbours in each list
    float *least;    // a score that the next to enter a list has at least; -inf until it is full
    uint8_t *lock;   // of each list
};

int cdp_topk_new(struct cdp_topk *nearest, const struct cdp_dataset *data, uint64_t count,
                 uint32_t k, struct cdp_err *err);
void cdp_topk_free(struct cdp_topk *nearest);

// Empties all lists.
void cdp_topk_clear(struct cdp_topk *nearest);

// Adds a neighbour, unless it is there or farther than all that are. Thread-safe.
void cdp_topk_add(struct cdp_topk *nearest, uint64_t query, uint32_t id, double key);

// Whether a neighbour is there. Thread-safe.
bool cdp_topk_holds(struct cdp_topk *nearest, uint64_t query, uint32_t id);

// Fills an empty list with `count` neighbours, each of which is there once; key and id are put in
// order. Thread-safe for different queries.
void cdp_topk_fill(struct cdp_topk *nearest, uint64_t query, uint32_t *id, double *key,
                   uint32_t count);

// The list's `least`. Thread-safe.
float cdp_topk_threshold(const struct cdp_topk *nearest, uint64_t query);

// Bytes that a query takes.
uint64_t cdp_topk_bytes(uint32_t k);

#endif

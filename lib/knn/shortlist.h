// SPDX-License-Identifier: MIT
#ifndef CDP_SHORTLIST_H
#define CDP_SHORTLIST_H

#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "knn/kernel.h"

// Lists of the nearest so far by the scores of the fast pass. An entry is a number of 64 bits, a
// score and an id, and the smaller of two is the nearer, or the one of smaller id. A list holds its
// k entries in ascending order; CDP_NOBODY in places that are free. Whatever the order in which
// entries are added, and by however many threads, a list ends as the k smallest.
struct cdp_shortlists {
    uint32_t k;
    uint64_t count;
    uint64_t *entry; // count x k
    uint8_t *lock;   // of each list
};

static const uint64_t CDP_NOBODY = UINT64_MAX;

int cdp_shortlists_new(struct cdp_shortlists *lists, uint64_t count, uint32_t k, int threads,
                       struct cdp_err *err);
void cdp_shortlists_free(struct cdp_shortlists *lists);

// Makes room for k entries in each list, which is more than there was.
int cdp_shortlists_grow(struct cdp_shortlists *lists, uint32_t k, int threads, struct cdp_err *err);

// Adds at most CDP_TILE_COLUMNS items, by their scores, to a list of k.
void cdp_shortlists_offer(uint64_t *list, uint32_t k, const struct cdp_kernel *kernel,
                          const uint32_t *items, const float *scores, uint32_t count);

// Adds each of `count` queries, or of all where `queries` is NULL, to the lists of those that it
// has in its own: lists of all items. Queries whose own lists have not changed since change
// nothing.
int cdp_shortlists_reverse(struct cdp_shortlists *lists, const uint32_t *queries, uint64_t count,
                           const struct cdp_kernel *kernel, int threads, struct cdp_err *err);

// New lists, the copies of some; and their contents back.
int cdp_shortlists_take(struct cdp_shortlists *some, const struct cdp_shortlists *lists,
                        const uint32_t *queries, uint64_t count, int threads, struct cdp_err *err);
void cdp_shortlists_put(struct cdp_shortlists *lists, const struct cdp_shortlists *some,
                        const uint32_t *queries, int threads);

// The entry of a score, which NaN makes the best.
static inline uint64_t cdp_entry(float score, uint32_t id)
{
    uint32_t bits;
    score = score != score ? __builtin_inff() : score + 0.0F; // one zero
    memcpy(&bits, &score, sizeof bits);
    return (uint64_t)(bits >> 31 ? bits : INT32_MAX - bits) << 32 | id;
}

static inline uint32_t cdp_entry_id(uint64_t entry)
{
    return (uint32_t)entry;
}

// -inf for nobody.
static inline float cdp_entry_score(uint64_t entry)
{
    uint32_t order = (uint32_t)(entry >> 32), bits = order >> 31 ? order : INT32_MAX - order;
    float score;
    memcpy(&score, &bits, sizeof score);
    return entry == CDP_NOBODY ? -__builtin_inff() : score;
}

#endif

// SPDX-License-Identifier: MIT
#ifndef CDP_KNN_CANDIDATES_H
#define CDP_KNN_CANDIDATES_H

#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "knn/kernel/kernel.h"

// Lists of the nearest so far by the scores of the fast pass. An entry is a number of 64 bits, a
// score and an id, and the smaller of two is the nearer, or the one of smaller id. A list holds its
// k entries in ascending order; CDP_CANDIDATE_NONE in places that are free. Whatever the order in
// which entries are added, and by however many threads, a list ends as the k smallest.
struct cdp_candidates {
    uint32_t k;
    uint64_t count;
    uint64_t *entry; // count x k
    uint8_t *lock;   // of each list
};

static const uint64_t CDP_CANDIDATE_NONE = UINT64_MAX;

int cdp_candidates_new(struct cdp_candidates *lists, uint64_t count, uint32_t k, int threads,
                       struct cdp_err *err);
void cdp_candidates_free(struct cdp_candidates *lists);

// Makes room for k entries in each list, which is more than there was.
int cdp_candidates_grow(struct cdp_candidates *lists, uint32_t k, int threads, struct cdp_err *err);

// Adds at most CDP_TILE_COLUMNS items, by their scores, to a list of k.
void cdp_candidates_add(uint64_t *list, uint32_t k, const struct cdp_kernel *kernel,
                        const uint32_t *items, const float *scores, uint32_t count);

// Adds each of `count` queries, or of all where `queries` is NULL, to the lists of those that it
// has in its own: lists of all items. Queries whose own lists have not changed since change
// nothing.
int cdp_candidates_add_reverse(struct cdp_candidates *lists, const uint32_t *queries,
                               uint64_t count, const struct cdp_kernel *kernel, int threads,
                               struct cdp_err *err);

// New lists, the copies of some; and their contents back.
int cdp_candidates_gather(struct cdp_candidates *some, const struct cdp_candidates *lists,
                          const uint32_t *queries, uint64_t count, int threads,
                          struct cdp_err *err);
void cdp_candidates_scatter(struct cdp_candidates *lists, const struct cdp_candidates *some,
                            const uint32_t *queries, int threads);

// The entry of a score, which NaN makes the best.
static inline uint64_t cdp_candidate(float score, uint32_t id)
{
    uint32_t bits;
    score = score != score ? __builtin_inff() : score + 0.0F; // one zero
    memcpy(&bits, &score, sizeof bits);
    return (uint64_t)(bits >> 31 ? bits : INT32_MAX - bits) << 32 | id;
}

static inline uint32_t cdp_candidate_id(uint64_t entry)
{
    return (uint32_t)entry;
}

// -inf for nobody.
static inline float cdp_candidate_score(uint64_t entry)
{
    uint32_t order = (uint32_t)(entry >> 32), bits = order >> 31 ? order : INT32_MAX - order;
    float score;
    memcpy(&score, &bits, sizeof score);
    return entry == CDP_CANDIDATE_NONE ? -__builtin_inff() : score;
}

#endif

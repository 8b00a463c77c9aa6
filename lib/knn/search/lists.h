// SPDX-License-Identifier: MIT
#ifndef CDP_KNN_LISTS_H
#define CDP_KNN_LISTS_H

#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "knn/data/dataset.h"

// Result lists (top-k, by exact keys) and candidate lists (by scores). A list ends with the same
// entries whatever the order of insertion and the number of threads.

// A spin lock of one byte, 0 when free, for arrays of lists that threads seldom share.
static inline void cdp_lock(uint8_t *lock)
{
    for (int tries = 1; __atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE); tries++) {
        if (tries % 64 == 0)
            sched_yield();
    }
}

static inline void cdp_unlock(uint8_t *lock)
{
    __atomic_store_n(lock, 0, __ATOMIC_RELEASE);
}

// ---- result lists: the k smallest keys, ties by smaller id

struct cdp_topk {
    const struct cdp_dataset *data;
    uint32_t k;
    uint64_t count;   // lists
    double *key;      // count x k, ascending by key, then id
    uint32_t *id;     // count x k
    uint32_t *found;  // entries of each list
    float *threshold; // a lower bound of the scores of what may still enter; -inf until full
    uint8_t *lock;    // of each list
};

int cdp_topk_new(struct cdp_topk *topk, const struct cdp_dataset *data, uint64_t count, uint32_t k,
                 struct cdp_err *err);
void cdp_topk_free(struct cdp_topk *topk);

// Empties all lists.
void cdp_topk_clear(struct cdp_topk *topk);

// Inserts a neighbour, unless it is there or too far. Thread-safe.
void cdp_topk_add(struct cdp_topk *topk, uint64_t list, uint32_t id, double key);

// Fills an empty list with the best of `count` different neighbours, and sorts id and key.
// Thread-safe for different lists.
void cdp_topk_fill(struct cdp_topk *topk, uint64_t list, uint32_t *id, double *key, uint32_t count);

// The list's threshold. Thread-safe.
static inline float cdp_topk_threshold(const struct cdp_topk *topk, uint64_t list)
{
    float threshold;
    __atomic_load(&topk->threshold[list], &threshold, __ATOMIC_RELAXED);
    return threshold;
}

// Bytes a list takes.
uint64_t cdp_topk_bytes(uint32_t k);

// ---- candidate lists: the k highest scores, ties by smaller id

// An entry is 64 bits: the score, as an integer that descends with it, then the id. So a smaller
// entry is better.
struct cdp_candidates {
    uint32_t k;
    uint64_t count;  // lists
    uint64_t *entry; // count x k, ascending, then CDP_CANDIDATE_NONE
    uint8_t *lock;   // of each list
};

static const uint64_t CDP_CANDIDATE_NONE = UINT64_MAX;

// NaN gives the best score.
static inline uint64_t cdp_candidate(float score, uint32_t id)
{
    uint32_t bits;
    score = score != score ? __builtin_inff() : score + 0.0F; // -0 to 0
    memcpy(&bits, &score, sizeof bits);
    return (uint64_t)(bits >> 31 ? bits : INT32_MAX - bits) << 32 | id;
}

static inline uint32_t cdp_candidate_id(uint64_t entry)
{
    return (uint32_t)entry;
}

// -inf for CDP_CANDIDATE_NONE.
static inline float cdp_candidate_score(uint64_t entry)
{
    uint32_t order = (uint32_t)(entry >> 32), bits = order >> 31 ? order : INT32_MAX - order;
    float score;
    memcpy(&score, &bits, sizeof score);
    return entry == CDP_CANDIDATE_NONE ? -__builtin_inff() : score;
}

static inline uint64_t *cdp_candidates_list(const struct cdp_candidates *lists, uint64_t i)
{
    return lists->entry + i * lists->k;
}

// New lists are empty.
int cdp_candidates_new(struct cdp_candidates *lists, uint64_t count, uint32_t k, int threads,
                       struct cdp_err *err);
void cdp_candidates_free(struct cdp_candidates *lists);

// Makes lists longer: k entries.
int cdp_candidates_grow(struct cdp_candidates *lists, uint32_t k, int threads, struct cdp_err *err);

// Inserts at most CDP_TILE_COLUMNS items into a list of k.
void cdp_candidates_add(uint64_t *list, uint32_t k, const struct cdp_kernel *kernel,
                        const uint32_t *items, const float *scores, uint32_t count);

// Inserts item i into the list of each entry of list i, for `count` items, or for all if `items` is
// NULL. The lists are those of all items. It suffices to name those whose lists have changed.
int cdp_candidates_add_reverse(struct cdp_candidates *lists, const uint32_t *items, uint64_t count,
                               const struct cdp_kernel *kernel, int threads, struct cdp_err *err);

// some = new lists, copies of lists[items[i]]; and lists[items[i]] = some.
int cdp_candidates_gather(struct cdp_candidates *some, const struct cdp_candidates *lists,
                          const uint32_t *items, uint64_t count, int threads, struct cdp_err *err);
void cdp_candidates_scatter(struct cdp_candidates *lists, const struct cdp_candidates *some,
                            const uint32_t *items, int threads);

// Lists by radius, the score of their entry at `place`, to about 2 digits. The caller frees both
// arrays, of ascending list numbers; NULL after an error.

// The lists of largest radius: at least one in `share` of all.
uint32_t *cdp_candidates_farthest(const struct cdp_candidates *lists, uint32_t place, double share,
                                  uint64_t *count, struct cdp_err *err);

// A sample of `count` lists, stratified by radius.
uint32_t *cdp_candidates_sample(const struct cdp_candidates *lists, uint32_t place, uint64_t count,
                                struct cdp_err *err);

#endif

// SPDX-License-Identifier: MIT
#ifndef CDP_KNN_COARSE_H
#define CDP_KNN_COARSE_H

#include "base/progress.h"
#include "knn/data/dataset.h"
#include "knn/search/packed.h"

// Centres by k-means over a sample of the items (Lloyd, Least squares quantization in PCM, IEEE
// Transactions on Information Theory 28(2), 1982). The nearest ones of an item are looked for among
// all of them; where there are many, among those of some groups, unless these are far. Most stand
// beside others of their group.
struct cdp_coarse {
    uint64_t count;
    struct cdp_dataset data;
    struct cdp_operand columns; // the centroids, laid out
    // Of many centroids:
    struct cdp_coarse *groups;
    struct cdp_ivf_lists sets; // the centroids of each group
    struct cdp_ivf_packed shelf;
};

// `count` items of n, one from each stretch of n / count, ascending. To be freed by the caller;
// NULL after an error.
uint32_t *cdp_coarse_sample(uint64_t n, uint64_t count, uint64_t seed, struct cdp_err *err);

// Finds `count` centroids of the n items of the data, which must outlive them. `seed` picks the
// first ones. NULL after an error; to be freed with cdp_coarse_free.
struct cdp_coarse *cdp_coarse_new(const struct cdp_dataset *data, uint64_t n, uint64_t count,
                                  uint64_t seed, int threads, struct cdp_progress *progress,
                                  struct cdp_err *err);
void cdp_coarse_free(struct cdp_coarse *centroids);

// Makes `lists`, where list i holds the k nearest centroids, or all, of item items[i] of the data,
// or of item i; nearly always: centroids that look near by their sketches are compared, or where
// one or more than a few are wanted, taken by them. Where there are many and few are wanted, lists
// of items that belong to one hold the nearest few only.
int cdp_coarse_assign(struct cdp_candidates *lists, const struct cdp_coarse *centroids,
                      const struct cdp_dataset *data, const uint32_t *items, uint64_t count,
                      uint32_t k, int threads, struct cdp_progress *progress, struct cdp_err *err);

// The rows that this adds to the progress, for `count` items and few centroids.
uint64_t cdp_coarse_progress(const struct cdp_coarse *centroids, uint64_t count);

#endif

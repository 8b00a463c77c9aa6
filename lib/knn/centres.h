// SPDX-License-Identifier: MIT
#ifndef CDP_CENTRES_H
#define CDP_CENTRES_H

#include "base/progress.h"
#include "knn/pick.h"
#include "knn/shelf.h"

// Centres by k-means over a sample of the items (Lloyd, Least squares quantization in PCM, IEEE
// Transactions on Information Theory 28(2), 1982). The nearest ones of an item are looked for among
// all of them; where there are many, among those of some groups, unless these are far. Most stand
// beside others of their group.
struct cdp_centres {
    uint64_t count;
    struct cdp_space space;
    struct cdp_side columns; // the centres, laid out
    // Of many centres:
    struct cdp_centres *groups;
    struct cdp_sets sets; // the centres of each group
    struct cdp_shelf shelf;
};

// `count` items of n, one from each stretch of n / count, ascending. To be freed by the caller;
// NULL after an error.
uint32_t *cdp_choose(uint64_t n, uint64_t count, uint64_t seed, struct cdp_err *err);

// Finds `count` centres of the n items of the space, which must outlive them. `seed` picks the
// first ones. NULL after an error; to be freed with cdp_centres_free.
struct cdp_centres *cdp_centres_new(const struct cdp_space *space, uint64_t n, uint64_t count,
                                    uint64_t seed, int threads, struct cdp_progress *progress,
                                    struct cdp_err *err);
void cdp_centres_free(struct cdp_centres *centres);

// Makes `lists`, where list i holds the k nearest centres, or all, of item items[i] of the space,
// or of item i; nearly always: centres that look near by their sketches are compared, or where one
// or more than a few are wanted, taken by them. Where there are many and few are wanted, lists of
// items that belong to one hold the nearest few only.
int cdp_centres_nearest(struct cdp_shortlists *lists, const struct cdp_centres *centres,
                        const struct cdp_space *space, const uint32_t *items, uint64_t count,
                        uint32_t k, int threads, struct cdp_progress *progress,
                        struct cdp_err *err);

// The rows that this adds to the progress, for `count` items and few centres.
uint64_t cdp_centres_looks(const struct cdp_centres *centres, uint64_t count);

#endif

// SPDX-License-Identifier: MIT
#ifndef CDP_KNN_APPROX_H
#define CDP_KNN_APPROX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/progress.h"
#include "knn/data/duplicates.h"
#include "knn/search/allpairs.h"

// Approximate search. Items search a few inverted lists, and each neighbour found gets the item as
// a candidate too. Until a sample has the recall, items then try neighbours of neighbours and
// search more lists in turn, those of largest radius first where they miss most. Candidate lists
// have a quarter more entries than are wanted, and are re-ranked at the end.

// Fills the blocks' lists, those of all rows, until the candidate lists of a sample of items hold
// `recall` of their exact neighbours, by more than the standard error. *found = the recall of the
// result lists of this sample; neighbours at equal distance count as found. Items are distinct
// rows. The recall is that of the `k` nearest rows, where `duplicates` has the rows equal to each
// item, or of the nearest items if that is NULL. Permutes the dataset, which is the blocks', to the
// order of the inverted lists, which the caller frees, also after an error.
int cdp_approx(struct cdp_dataset *data, const struct cdp_duplicates *duplicates,
               struct cdp_pair_block *blocks, uint32_t k, int threads, double recall, double *found,
               struct cdp_ivf_lists *lists, struct cdp_progress *progress, struct cdp_err *err);

// ---- the search schedule
//
// Each round widens the search, cheapest step first: NN-descent steps are cheap; the lists of
// largest radius are worth many probes, most others are not. Each round has more items than the
// last one.

struct cdp_schedule {
    uint64_t share, nprobe;         // next: 1 item in `share`, of largest radius, probes this many;
    uint64_t few, few_nprobe;       // or fewer, 1 in `few`, if that is enough;
    uint64_t all_nprobe;            // or all probe this many
    bool fine;                      // the last round had few items
    double per_missing, even_share; // of NN-descent: items for one that misses too much; and 1 in
                                    // `even_share` if all miss about as much
};

struct cdp_schedule cdp_schedule_new(void);

// The next round of probes: 1 item in *share. Returns nprobe, at most nlist; 0 if comparing all
// pairs is cheaper. 1 in `enough`, of those of largest radius, miss enough for the recall;
// `scattered`: most of what is missing is theirs.
uint64_t cdp_schedule_probes(struct cdp_schedule *schedule, bool scattered, uint64_t enough,
                             uint64_t nlist, double *share);

// The next NN-descent step: 1 item in so many.
double cdp_schedule_descent(struct cdp_schedule *schedule, bool scattered, uint64_t enough);

#endif

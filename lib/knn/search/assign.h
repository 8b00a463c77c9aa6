// SPDX-License-Identifier: MIT
#ifndef CDP_KNN_ASSIGN_H
#define CDP_KNN_ASSIGN_H

#include "base/progress.h"
#include "knn/search/candidates.h"
#include "knn/search/packed.h"

// The operation that finds centroids: rows pick the nearest columns, of all or of some sets, into
// candidates.

// Row i, which is items[i] of the data or item i, adds to list i, by their scores, the `looked`
// columns that are nearest to it by what tiles see: exactly these, whatever the number of threads.
// Where `looked` is 0, list i becomes those nearest ones, and its scores are what tiles see.
int cdp_scan_coarse(const struct cdp_dataset *data, const uint32_t *items,
                    const struct cdp_operand *columns, uint32_t looked,
                    struct cdp_candidates *lists, int threads, struct cdp_progress *progress,
                    struct cdp_err *err);

// The same of the columns of those sets of the shelf that list i in `probes` names, and of what
// stands beside these in memory. Where there are fewer than `looked`, all of them.
int cdp_scan_coarse_lists(const struct cdp_dataset *data, const uint32_t *items,
                          const struct cdp_candidates *probes, const struct cdp_ivf_packed *shelf,
                          uint32_t looked, struct cdp_candidates *lists, int threads,
                          struct cdp_progress *progress, struct cdp_err *err);

#endif

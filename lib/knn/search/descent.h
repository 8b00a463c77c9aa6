// SPDX-License-Identifier: MIT
#ifndef CDP_KNN_DESCENT_H
#define CDP_KNN_DESCENT_H

#include "base/progress.h"
#include "knn/data/dataset.h"
#include "knn/search/candidates.h"

// Adds to the lists of some items, which are among those of all, the nearest of what is in the
// lists of those that they hold: neighbours of neighbours are often neighbours (Dong, Moses, Li:
// Efficient k-nearest neighbor graph construction for generic similarity measures, WWW 2011). What
// is added depends on the lists as they were, so not on the number of threads.
int cdp_descent(const struct cdp_dataset *data, struct cdp_candidates *lists, const uint32_t *items,
                uint64_t count, int threads, struct cdp_progress *progress, struct cdp_err *err);

#endif

// SPDX-License-Identifier: MIT
#ifndef CDP_NEIGHBOURHOOD_H
#define CDP_NEIGHBOURHOOD_H

#include "base/progress.h"
#include "knn/shortlist.h"
#include "knn/space.h"

// Adds to the lists of some items, which are among those of all, the nearest of what is in the
// lists of those that they hold: neighbours of neighbours are often neighbours (Dong, Moses, Li:
// Efficient k-nearest neighbor graph construction for generic similarity measures, WWW 2011). What
// is added depends on the lists as they were, so not on the number of threads.
int cdp_neighbourhoods(const struct cdp_space *space, struct cdp_shortlists *lists,
                       const uint32_t *items, uint64_t count, int threads,
                       struct cdp_progress *progress, struct cdp_err *err);

#endif

// SPDX-License-Identifier: MIT
#ifndef CDP_NEIGHBOURHOOD_H
#define CDP_NEIGHBOURHOOD_H

#include "base/progress.h"
#include "knn/probe.h"

// Lets the members of each list, which are those of all items, pick from one another:
// neighbours of an item are often neighbours of each other (Dong, Moses, Li: Efficient k-nearest
// neighbor graph construction for generic similarity measures, WWW 2011). What they pick depends on
// the lists as they were, so not on the number of threads.
int cdp_neighbourhoods(const struct cdp_space *space, struct cdp_shortlists *lists, int threads,
                       struct cdp_progress *progress, struct cdp_err *err);

#endif

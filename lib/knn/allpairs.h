// SPDX-License-Identifier: MIT
#ifndef CDP_ALLPAIRS_H
#define CDP_ALLPAIRS_H

#include "base/progress.h"
#include "knn/join.h"

// Fills lists 0, 1, ... with the neighbours of rows first, first + 1, ... among all rows, by
// joining all blocks; of the pairs between queries each is taken once.
void cdp_allpairs(struct cdp_joiner *joiners, int threads, uint64_t first, uint64_t last,
                  struct cdp_progress *progress);

#endif

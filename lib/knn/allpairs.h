// SPDX-License-Identifier: MIT
#ifndef CDP_ALLPAIRS_H
#define CDP_ALLPAIRS_H

#include "base/progress.h"
#include "knn/join.h"

// Fills lists 0, 1, ... with the neighbours of rows first, first + 1, ... among all rows, by
// joining all blocks; of the pairs between queries each is taken once. Of a space that has been
// reordered all rows are queries.
void cdp_allpairs(struct cdp_joiner *joiners, int threads, uint64_t first, uint64_t last,
                  struct cdp_progress *progress);

// An order of all items for lists that hold near items already: those whose lists ask for about as
// much stand together, so that what one of a tile's lists asks for does not let the others' pairs
// pass; among these, those that stand together now. To be freed by the caller; NULL after an error.
uint32_t *cdp_allpairs_order(const struct cdp_nearest *nearest, struct cdp_err *err);

#endif

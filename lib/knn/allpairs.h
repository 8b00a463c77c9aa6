// SPDX-License-Identifier: MIT
#ifndef CDP_ALLPAIRS_H
#define CDP_ALLPAIRS_H

#include "base/progress.h"
#include "knn/exclude.h"
#include "knn/join.h"

// Fills lists 0, 1, ... with the neighbours of rows first, first + 1, ... among all rows, by
// joining all blocks, but for what is excluded; of the pairs between queries each is taken once. Of
// a space that has been reordered all rows are queries.
int cdp_allpairs(struct cdp_joiner *joiners, int threads, uint64_t first, uint64_t last,
                 const struct cdp_exclusion *exclusion, struct cdp_progress *progress,
                 struct cdp_err *err);

// Adds the exact neighbours of `count` items, at most CDP_SIDE, to these lists.
void cdp_allpairs_items(struct cdp_joiner *joiners, int threads, const uint32_t *items,
                        struct cdp_run lists, uint32_t count);

// Puts the items of a space, which stand in the order of their cells, and whose lists hold near
// items already, in an order for this, and makes the exclusion of the cells, which stays empty
// where it does not pay: then those whose lists ask for about as much stand together, so that what
// one of a tile's lists asks for does not let the others' pairs pass. Else only those whose lists
// reach farthest stand so, and are not excluded; the rest stay in the order of their cells, those
// of each cell by what their lists ask for. The exclusion is to be freed with cdp_exclusion_free,
// after an error too.
int cdp_allpairs_order(struct cdp_space *space, const struct cdp_nearest *nearest,
                       const struct cdp_sets *cells, struct cdp_exclusion *exclusion, int threads,
                       struct cdp_err *err);

#endif

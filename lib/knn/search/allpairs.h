// SPDX-License-Identifier: MIT
#ifndef CDP_KNN_ALLPAIRS_H
#define CDP_KNN_ALLPAIRS_H

#include "base/progress.h"
#include "knn/search/block.h"
#include "knn/search/hyperplane.h"

// Fills lists 0, 1, ... with the neighbours of rows first, first + 1, ... among all rows, by
// joining all blocks, but for what is excluded; of the pairs between queries each is taken once. Of
// a data that has been reordered all rows are queries.
int cdp_allpairs(struct cdp_pair_block *blocks, int threads, uint64_t first, uint64_t last,
                 const struct cdp_hyperplanes *hyperplanes, struct cdp_progress *progress,
                 struct cdp_err *err);

// Adds the exact neighbours of `count` items, at most CDP_BLOCK, to these lists.
void cdp_allpairs_items(struct cdp_pair_block *blocks, int threads, const uint32_t *items,
                        struct cdp_ids lists, uint32_t count);

// Puts the items of a data, which stand in the order of their cells, and whose lists hold near
// items already, in an order for this, and makes the hyperplanes of the cells, which stays empty
// where it does not pay: then those whose lists ask for about as much stand together, so that what
// one of a tile's lists asks for does not let the others' pairs pass. Else only those whose lists
// reach farthest stand so, and are not excluded; the rest stay in the order of their cells, those
// of each cell by what their lists ask for. The hyperplanes is to be freed with
// cdp_hyperplanes_free, after an error too.
int cdp_allpairs_order(struct cdp_dataset *data, const struct cdp_topk *nearest,
                       const struct cdp_ivf_lists *cells, struct cdp_hyperplanes *hyperplanes,
                       int threads, struct cdp_err *err);

#endif

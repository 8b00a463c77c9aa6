// SPDX-License-Identifier: MIT
#ifndef CDP_CELLS_H
#define CDP_CELLS_H

#include "base/progress.h"
#include "knn/join.h"

// Cells of items that are near each other: every item goes to the `per_item` nearest of some random
// items, the pivots; the items of a pivot are a cell. Pivots are found over pivots of their own, so
// that the cost grows little faster than the number of items.

// `count` items of n, one from each stretch of n / count, ascending. To be freed by the caller;
// NULL after an error.
uint32_t *cdp_choose(uint64_t n, uint64_t count, uint64_t seed, struct cdp_err *err);

// Joins the items of each cell into the joiners' lists, those of all items by id. `seed` and
// seed + 1 pick the pivots. The joiners keep their lists.
int cdp_join_cells(struct cdp_joiner *joiners, int threads, uint32_t per_item, uint64_t seed,
                   struct cdp_progress *progress, struct cdp_err *err);

#endif

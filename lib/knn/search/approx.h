// SPDX-License-Identifier: MIT
#ifndef CDP_KNN_APPROX_H
#define CDP_KNN_APPROX_H

#include "base/progress.h"
#include "knn/data/duplicates.h"
#include "knn/search/block.h"
#include "knn/search/lists.h"

// Approximate neighbours. Items look for them in a few cells of near items (knn/cells.h). What an
// item finds finds the item: it is offered to the other's list too. Then, until a sample has the
// recall that is wanted, items look around among the neighbours of their neighbours
// (knn/neighbourhood.h) and into more cells, in turn: those whose lists reach farthest where it is
// they who miss most, since items that stand alone have their neighbours scattered; else all.
//
// Lists hold the nearest, by the scores of bytes, of all that were met, a quarter more than are
// wanted, which are measured in the end. So the result does not depend on the number of threads.

// Fills the blocks' lists, those of all rows, until the lists of a sample of the items hold
// `recall` of their exact neighbours, and more by the standard error of that. *found = the share
// that the blocks' lists of the sample hold in the end, neighbours at equal distance counting as
// found. Items are distinct rows; the share is of the `rows` nearest among all, of which `copies`
// has those that equal an item; NULL: of the nearest items. *items, to be freed by the caller,
// receives the items of each cell.
int cdp_approx(struct cdp_dataset *data, const struct cdp_duplicates *copies,
               struct cdp_pair_block *blocks, uint32_t rows, int threads, double recall,
               double *found, struct cdp_ivf_lists *items, struct cdp_progress *progress,
               struct cdp_err *err);

// Fills the blocks' lists, those of all rows, with near items, quickly. Both put the data, which
// is the blocks', in another order.
int cdp_seed(struct cdp_dataset *data, struct cdp_pair_block *blocks, int threads,
             struct cdp_ivf_lists *items, struct cdp_progress *progress, struct cdp_err *err);

#endif

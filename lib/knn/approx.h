// SPDX-License-Identifier: MIT
#ifndef CDP_APPROX_H
#define CDP_APPROX_H

#include "base/progress.h"
#include "knn/join.h"

// Approximate neighbours, by joining sets of items that are near each other:
//
//   cells            of random pivots (knn/cells.h);
//   neighbourhoods   an item with its neighbours so far, and the items that have it as a neighbour:
//                    neighbours of an item are often neighbours of each other (Dong, Moses, Li:
//                    Efficient k-nearest neighbor graph construction for generic similarity
//                    measures, WWW 2011).
//
// A list that is not full in the end gets its exact neighbours. Otherwise it ends as the nearest of
// all items that it met, so the result does not depend on the number of threads.

// Fills the joiners' lists, those of all items by id, until the lists of a sample of the items hold
// `recall` of their exact neighbours, or 24 rounds are over. *found = the share that they hold.
int cdp_approx(struct cdp_joiner *joiners, int threads, double recall, double *found,
               struct cdp_progress *progress, struct cdp_err *err);

#endif

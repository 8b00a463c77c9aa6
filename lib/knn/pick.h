// SPDX-License-Identifier: MIT
#ifndef CDP_PICK_H
#define CDP_PICK_H

#include "knn/sets.h"
#include "knn/space.h"

// Spaces of a few items of another one, or of the means of some.

// A space of centres, at first `count` items of another, for the fast passes only: it knows no
// keys. Tiles see a level of each. The other space must outlive it.
int cdp_space_pick(struct cdp_space *picked, const struct cdp_space *space, unsigned level,
                   const uint32_t *items, uint64_t count, struct cdp_err *err);

// Moves each centre to the mean of the other space's items that are its set, if there are
// any. The mean of rows of bits is what most of them have. By the scores and glances of vectors the
// square of any item's distance to it is greater by a quarter of the mean square of its own items':
// the mean of scattered items is near everything, so that too many would choose it.
int cdp_space_move(struct cdp_space *picked, const struct cdp_space *space,
                   const struct cdp_sets *sets, int threads, struct cdp_err *err);

#endif

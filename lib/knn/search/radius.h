// SPDX-License-Identifier: MIT
#ifndef CDP_KNN_RADIUS_H
#define CDP_KNN_RADIUS_H

#include "knn/search/candidates.h"

// Which lists reach farthest, up to their entry at `place`, whose scores are sorted into classes.

// The lists that do, at least one in `share` of all, ascending. To be freed by the caller; NULL
// after an error.
uint32_t *cdp_candidates_farthest(const struct cdp_candidates *lists, uint32_t place, double share,
                                  uint64_t *count, struct cdp_err *err);

// `count` lists, the same share of those that reach near and far, ascending. To be freed by the
// caller; NULL after an error.
uint32_t *cdp_candidates_sample(const struct cdp_candidates *lists, uint32_t place, uint64_t count,
                                struct cdp_err *err);

#endif

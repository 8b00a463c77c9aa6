// SPDX-License-Identifier: MIT
#ifndef CDP_REACH_H
#define CDP_REACH_H

#include "knn/shortlist.h"

// Which lists reach farthest, up to their entry at `place`, whose scores are sorted into classes.

// The lists that do, at least one in `share` of all, ascending. To be freed by the caller; NULL
// after an error.
uint32_t *cdp_farthest(const struct cdp_shortlists *lists, uint32_t place, double share,
                       uint64_t *count, struct cdp_err *err);

// `count` lists, the same share of those that reach near and far, ascending. To be freed by the
// caller; NULL after an error.
uint32_t *cdp_choose_by_reach(const struct cdp_shortlists *lists, uint32_t place, uint64_t count,
                              struct cdp_err *err);

#endif

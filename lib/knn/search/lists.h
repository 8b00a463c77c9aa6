// SPDX-License-Identifier: MIT
#ifndef CDP_KNN_LISTS_H
#define CDP_KNN_LISTS_H

#include <stdint.h>

#include "base/err.h"
#include "knn/search/candidates.h"

// Sets of numbers: set s is member[start[s]] to member[start[s + 1] - 1], ascending.
struct cdp_ivf_lists {
    uint64_t count;
    uint64_t *start;
    uint32_t *member;
};

// The sets of the lists that hold the same number below `count` among their first `depth`.
int cdp_ivf_lists_new(struct cdp_ivf_lists *sets, const struct cdp_candidates *lists,
                      uint32_t depth, uint64_t count, int threads, struct cdp_err *err);
void cdp_ivf_lists_free(struct cdp_ivf_lists *sets);

#endif

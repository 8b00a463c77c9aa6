// SPDX-License-Identifier: MIT
#ifndef CDP_SETS_H
#define CDP_SETS_H

#include <stdint.h>

#include "base/err.h"
#include "knn/shortlist.h"

// Sets of numbers: set s is member[start[s]] to member[start[s + 1] - 1], ascending.
struct cdp_sets {
    uint64_t count;
    uint64_t *start;
    uint32_t *member;
};

// The sets of the lists that hold the same number below `count` among their first `depth`.
int cdp_sets_of(struct cdp_sets *sets, const struct cdp_shortlists *lists, uint32_t depth,
                uint64_t count, int threads, struct cdp_err *err);
void cdp_sets_free(struct cdp_sets *sets);

#endif

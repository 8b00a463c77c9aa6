// SPDX-License-Identifier: MIT
#ifndef CDP_COMPONENTS_H
#define CDP_COMPONENTS_H

#include <stddef.h>

#include "base/progress.h"
#include "baseline/neighbours.h"
#include "baseline/rows.h"

// Connected components of the graph in which two items are adjacent if one is in the other's list.

// Sets component[i] to the number of i's component; components are numbered by their smallest
// items. Returns their number, or -1. Memory: 4 bytes an item.
int64_t cdp_components(const struct cdp_neighbours *lists, uint32_t *component,
                       struct cdp_err *err);

// An edge between two components: rows of the later and of the earlier one.
struct cdp_bridge {
    uint32_t later, earlier;
};

// For each two of `count` components, the closest two of their rows; ties: the smaller row of the
// later component, then of the earlier one. *bridge is an array of count (count - 1) / 2, those of
// component c from c (c - 1) / 2 on; the caller frees it. Memory: 24 bytes a bridge.
int cdp_components_join(const struct cdp_rows *rows, const uint32_t *component, uint64_t count,
                        struct cdp_bridge **bridge, int threads, struct cdp_progress *progress,
                        struct cdp_err *err);

#endif

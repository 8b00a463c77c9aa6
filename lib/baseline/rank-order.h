// SPDX-License-Identifier: MIT
#ifndef CDP_RANK_ORDER_H
#define CDP_RANK_ORDER_H

#include "baseline/neighbours.h"

// Approximate rank-order clustering (Otto, Wang, Jain: Clustering millions of faces by identity,
// PAMI 40 (2018)), as its implementation has it. Let an item be entry 0 of its own list. For j =
// entry a >= 1 of i's list and i = entry b - 1 of j's,
//
//   d = (entries 0 .. a-1 of i's list that are nowhere in j's
//        + entries 0 .. b-1 of j's list that are nowhere in i's) / min(a, b).
//
// Two items are linked if d <= threshold in either direction; clusters are connected components.

// Sets label[i] to the smallest item of i's cluster. Memory: a byte a neighbour, and 4 bytes an
// item for each thread. Results do not depend on the number of threads.
int cdp_rank_order(const struct cdp_neighbours *lists, double threshold, int threads,
                   uint32_t *label, struct cdp_progress *progress, struct cdp_err *err);

#endif

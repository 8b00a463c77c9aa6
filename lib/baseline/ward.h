// SPDX-License-Identifier: MIT
#ifndef CDP_WARD_H
#define CDP_WARD_H

#include "base/progress.h"
#include "baseline/neighbours.h"
#include "baseline/result.h"
#include "baseline/rows.h"

// Ward's method with a connectivity constraint (Ward: Hierarchical grouping to optimize an
// objective function, JASA 58 (1963)). Two items are adjacent if one is in the other's list; each
// two connected components have one edge more (components.h). Clusters are adjacent if some of
// their items are. Each step merges the two adjacent clusters A, B of least cost
//
//   |A| |B| / (|A| + |B|) * |mean of A - mean of B|^2.
//
// Ties: the pair whose larger number is smaller, then whose smaller number is. Items have the
// numbers 0 .. n - 1, the cluster of step s the number n + s. The height of a merge is the root of
// twice the cost; the constraint lets it go down. The mean of A and B is a + (b - a) |B| / (|A| +
// |B|), so means of equal rows are that row.

// Stops at `clusters` clusters and sets label[i] to the smallest item of i's cluster, unless
// `label` is NULL. `merge` is NULL, or receives the merges in their order, rows - clusters of them.
// At most 2^31 - 1 rows. Memory: 8 bytes a number of the rows, 16 for each end of an edge, some 60
// a row, and what cdp_components_join takes. Results do not depend on the number of threads.
int cdp_ward(const struct cdp_rows *rows, const struct cdp_neighbours *lists, uint64_t clusters,
             uint32_t *label, struct cdp_merged *merge, int threads, struct cdp_progress *progress,
             struct cdp_err *err);

#endif

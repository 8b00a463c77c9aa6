// SPDX-License-Identifier: MIT
#ifndef CDP_MST_H
#define CDP_MST_H

#include "base/progress.h"
#include "baseline/neighbours.h"
#include "baseline/result.h"
#include "baseline/rows.h"

// Exact minimum spanning tree of rows under mutual reachability: the distance of rows i and j is
//
//   max(core_i, core_j, |x_i - x_j|),
//
// of divided rows (rows.h), where the core distance of a row is that to its M-th nearest row, the
// row itself being the first (Campello, Moulavi, Sander: Density-based clustering based on
// hierarchical density estimates, PAKDD 2013). M = 1: core distances are 0.
//
// A spanning tree of the pairs in the lists, whose components are connected by their first rows, is
// an upper bound: the tree's largest distance between rows i and j, its bottleneck, is at least
// that of the minimum tree. A pair that is in neither list can only improve the tree if it is
// nearer than the bottleneck, and it is not nearer than the last entry of either list. So one scan
// over all pairs of rows, most of which these bounds and sketches rule out, finds all that is
// missing.

// core[i] = the core distance of row i for M = min_samples >= 1, INFINITY if there are fewer rows.
// Lists have at least min(M, rows) - 1 entries, and one if there are two rows.
void cdp_mst_cores(double *core, const struct cdp_rows *rows, const struct cdp_neighbours *lists,
                   uint64_t min_samples, int threads);

// Sets edge[0 .. rows - 2], ascending by height, then end[0], then end[1]: where rows of a height
// connect several components of lower heights, their first rows stand for them, the smallest joined
// with each of the others. So edges do not depend on which of several minimum trees was found.
// `core` may be NULL: all are 0. Lists are of all rows, and exact. Heights up to `limit` are those
// of the minimum tree. Above it pairs may be those of the lists only, and components that these
// leave apart join at height INFINITY. A limit of INFINITY gives the minimum tree, -1 that of the
// lists alone.
// Memory: 64 to 128 bytes a row, and for the scan int8 numbers and sketches of at most that size.
int cdp_mst(struct cdp_joined *edge, const struct cdp_rows *rows,
            const struct cdp_neighbours *lists, const double *core, double limit, int threads,
            struct cdp_progress *progress, struct cdp_err *err);

#endif

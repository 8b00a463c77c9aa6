// SPDX-License-Identifier: MIT
#ifndef CDP_RADIUS_H
#define CDP_RADIUS_H

#include <stdbool.h>

#include "base/progress.h"
#include "baseline/neighbours.h"
#include "baseline/rows.h"

// Rows at most a distance apart: single linkage cut at that distance, and DBSCAN.

// What is known of the items.
struct cdp_radius {
    const struct cdp_rows *rows;        // NULL = the lists only; distances are theirs then
    const struct cdp_neighbours *lists; // exact
    const char *file;                   // of the lists, for errors; only if rows is NULL
    double distance;                    // Euclidean, of divided rows
};

// Single linkage: sets label[i] to the smallest of the items that are connected with item i over
// pairs at most `distance` apart. With lists only, it is an error if a pair might be missing: two
// items in different components whose lists end within the distance. Memory with rows: as cdp_mst
// (mst.h), and 16 bytes a row. The same result for any number of threads.
int cdp_single(const struct cdp_radius *radius, uint32_t *label, int threads,
               struct cdp_progress *progress, struct cdp_err *err);

// DBSCAN. An item is core if at least `min_samples` items, itself among them, are within the
// distance. Core items are connected as above; label[i] is the smallest core item of i's cluster.
// An item that is not core belongs to the cluster of smallest label of the core items within the
// distance; if there are none, it has CDP_NO_LABEL. Lists have at least min(min_samples, items) - 1
// entries. Memory and errors as above, and 8 bytes an item.
int cdp_dbscan(const struct cdp_radius *radius, uint64_t min_samples, uint32_t *label, int threads,
               struct cdp_progress *progress, struct cdp_err *err);

#endif

// SPDX-License-Identifier: MIT
#ifndef CDP_KNN_SCAN_H
#define CDP_KNN_SCAN_H

#include "base/progress.h"
#include "knn/search/candidates.h"
#include "knn/search/packed.h"

// The operation of the approximate search: rows pick the nearest of some columns, by the scores of
// bytes, into their candidates.

// Row i, which is items[i] of the data or item i, picks from the sets of the shelf that its list
// in `probes` names, from place `first` on, into list i of `lists`. No item is added to its own
// list.
int cdp_scan(const struct cdp_dataset *data, const uint32_t *items,
             const struct cdp_candidates *probes, uint32_t first,
             const struct cdp_ivf_packed *shelf, struct cdp_candidates *lists, int threads,
             struct cdp_progress *progress, struct cdp_err *err);

// Item i, for which the sets have member i, picks from its own set into list i.
int cdp_scan_own(const struct cdp_dataset *data, const struct cdp_ivf_packed *shelf,
                 struct cdp_candidates *lists, int threads, struct cdp_progress *progress,
                 struct cdp_err *err);

#endif

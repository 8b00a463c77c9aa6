// SPDX-License-Identifier: MIT
#ifndef CDP_GLANCE_H
#define CDP_GLANCE_H

#include "base/progress.h"
#include "knn/shelf.h"
#include "knn/shortlist.h"

// The operation that finds centres: rows pick the nearest columns, of all or of some sets, into
// shortlists.

// Row i, which is items[i] of the space or item i, adds to list i, by their scores, the `looked`
// columns that are nearest to it by what tiles see: exactly these, whatever the number of threads.
// Where `looked` is 0, list i becomes those nearest ones, and its scores are what tiles see.
int cdp_glance(const struct cdp_space *space, const uint32_t *items, const struct cdp_side *columns,
               uint32_t looked, struct cdp_shortlists *lists, int threads,
               struct cdp_progress *progress, struct cdp_err *err);

// The same of the columns of those sets of the shelf that list i in `probes` names, and of what
// stands beside these in memory. Where there are fewer than `looked`, all of them.
int cdp_glance_sets(const struct cdp_space *space, const uint32_t *items,
                    const struct cdp_shortlists *probes, const struct cdp_shelf *shelf,
                    uint32_t looked, struct cdp_shortlists *lists, int threads,
                    struct cdp_progress *progress, struct cdp_err *err);

#endif

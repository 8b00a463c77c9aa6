// SPDX-License-Identifier: MIT
#ifndef CDP_PROBE_H
#define CDP_PROBE_H

#include "base/progress.h"
#include "knn/shelf.h"
#include "knn/shortlist.h"

// The operation of the approximate search: rows pick the nearest of some columns, by the scores of
// bytes, into their shortlists.

// Row i, which is items[i] of the space or item i, picks from the sets of the shelf that its list
// in `probes` names, from place `first` on, into list i of `lists`. No item is added to its own
// list.
int cdp_probe(const struct cdp_space *space, const uint32_t *items,
              const struct cdp_shortlists *probes, uint32_t first, const struct cdp_shelf *shelf,
              struct cdp_shortlists *lists, int threads, struct cdp_progress *progress,
              struct cdp_err *err);

// Item i, for which the sets have member i, picks from its own set into list i.
int cdp_probe_own(const struct cdp_space *space, const struct cdp_shelf *shelf,
                  struct cdp_shortlists *lists, int threads, struct cdp_progress *progress,
                  struct cdp_err *err);

#endif

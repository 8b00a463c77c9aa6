// SPDX-License-Identifier: MIT
#ifndef CDP_PROBE_H
#define CDP_PROBE_H

#include "base/progress.h"
#include "knn/shortlist.h"
#include "knn/side.h"

// The operations of the approximate search: rows pick the nearest of some columns, by the scores of
// the fast pass, into their shortlists.

// Items laid out as columns, set after set.
struct cdp_shelf {
    struct cdp_side columns;
    const struct cdp_sets *sets;
};

int cdp_shelf_new(struct cdp_shelf *shelf, const struct cdp_space *space,
                  const struct cdp_sets *sets, int threads, struct cdp_err *err);
void cdp_shelf_free(struct cdp_shelf *shelf);

// Rows of a tile, of which `count` pick, and where their lists stand.
struct cdp_pickers {
    uint32_t count, row[CDP_TILE_ROWS];
    uint64_t *list[CDP_TILE_ROWS];
};

// Adds to the lists, of k entries, the nearest of columns first to end - 1 and of what is on their
// tiles besides. `first` is a multiple of CDP_PANEL_COLUMNS. Unless `self`, an item is not added to
// the list of a row of the same id. The rows' `least` are those of their lists.
void cdp_pick(struct cdp_side *rows, const struct cdp_pickers *pickers,
              const struct cdp_side *columns, uint32_t first, uint32_t end, uint32_t k, bool self);

// Row i, which is items[i] of the space or item i, picks from the sets of the shelf that its list
// in `probes` names, into list i of `lists`. `self` as above.
int cdp_probe(const struct cdp_space *space, const uint32_t *items,
              const struct cdp_shortlists *probes, const struct cdp_shelf *shelf,
              struct cdp_shortlists *lists, bool self, int threads, struct cdp_progress *progress,
              struct cdp_err *err);

#endif

// SPDX-License-Identifier: MIT
#ifndef CDP_CELLS_H
#define CDP_CELLS_H

#include "base/progress.h"
#include "knn/centres.h"
#include "knn/probe.h"

// Cells of items that are near each other: each item lies in the cell of its nearest centre.
struct cdp_cells {
    struct cdp_centres *centres;
    struct cdp_shortlists nearest; // centres of each item
    struct cdp_sets items;         // of each cell
    struct cdp_shelf shelf;        // of the items
};

// Puts all items of the space into cells, for lists of k neighbours, and the space in their order.
// `seed` picks the first centres. The space must outlive the cells, which are to be freed with
// cdp_cells_free, after an error too.
int cdp_cells_new(struct cdp_cells *cells, struct cdp_space *space, uint32_t k, uint32_t probes,
                  uint64_t seed, int threads, struct cdp_progress *progress, struct cdp_err *err);
void cdp_cells_free(struct cdp_cells *cells);

// Adds to the lists, those of all items, which are empty, the nearest items of the `probes` cells,
// but of those that by what is found in an item's own cell are too far to add to it: these are
// forgotten.
int cdp_cells_probe(struct cdp_cells *cells, const struct cdp_space *space,
                    struct cdp_shortlists *lists, int threads, struct cdp_progress *progress,
                    struct cdp_err *err);

// Adds to the lists of some items the nearest items of the cells whose centres are their `probes`
// nearest ones, and learns from these lists how far apart the sketches of neighbours are.
int cdp_cells_probe_more(struct cdp_cells *cells, const struct cdp_space *space,
                         struct cdp_shortlists *lists, const uint32_t *items, uint64_t count,
                         uint32_t probes, int threads, struct cdp_progress *progress,
                         struct cdp_err *err);

#endif

// SPDX-License-Identifier: MIT
#ifndef CDP_KNN_IVF_H
#define CDP_KNN_IVF_H

#include "base/progress.h"
#include "knn/search/coarse.h"
#include "knn/search/scan.h"

// Cells of items that are near each other: each item lies in the cell of its nearest centroid.
struct cdp_ivf {
    struct cdp_coarse *centroids;
    struct cdp_candidates nearest; // centroids of each item
    struct cdp_ivf_lists items;    // of each cell
    struct cdp_ivf_packed shelf;   // of the items
};

// Puts all items of the data into cells, for lists of k neighbours, and the data in their order.
// `seed` picks the first centroids. The data must outlive the cells, which are to be freed with
// cdp_ivf_free, after an error too.
int cdp_ivf_new(struct cdp_ivf *cells, struct cdp_dataset *data, uint32_t k, uint32_t probes,
                uint64_t seed, int threads, struct cdp_progress *progress, struct cdp_err *err);
void cdp_ivf_free(struct cdp_ivf *cells);

// Adds to the lists, those of all items, which are empty, the nearest items of the `probes` cells,
// but of those that by what is found in an item's own cell are too far to add to it: these are
// forgotten.
int cdp_ivf_search(struct cdp_ivf *cells, const struct cdp_dataset *data,
                   struct cdp_candidates *lists, int threads, struct cdp_progress *progress,
                   struct cdp_err *err);

// Adds to the lists of some items the nearest items of the cells whose centroids are their `probes`
// nearest ones, and learns from these lists how far apart the sketches of neighbours are.
int cdp_ivf_search_more(struct cdp_ivf *cells, const struct cdp_dataset *data,
                        struct cdp_candidates *lists, const uint32_t *items, uint64_t count,
                        uint32_t probes, int threads, struct cdp_progress *progress,
                        struct cdp_err *err);

#endif

// SPDX-License-Identifier: MIT
#ifndef CDP_KNN_MEANS_H
#define CDP_KNN_MEANS_H

#include "knn/data/dataset.h"
#include "knn/search/lists.h"

// Spaces of a few items of another one, or of the means of some.

// A data of centroids, at first `count` items of another, for the fast passes only: it knows no
// keys. Tiles see a level of each. The other data must outlive it.
int cdp_dataset_select(struct cdp_dataset *picked, const struct cdp_dataset *data, unsigned level,
                       const uint32_t *items, uint64_t count, struct cdp_err *err);

// Moves each centroid to the mean of the other data's items that are its set, if there are
// any. The mean of rows of bits is what most of them have. By the scores and glances of vectors the
// square of any item's distance to it is greater by a quarter of the mean square of its own items':
// the mean of scattered items is near everything, so that too many would choose it.
int cdp_dataset_set_means(struct cdp_dataset *picked, const struct cdp_dataset *data,
                          const struct cdp_ivf_lists *sets, int threads, struct cdp_err *err);

#endif

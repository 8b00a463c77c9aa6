// SPDX-License-Identifier: MIT
#ifndef CDP_KNN_DBSCAN_H
#define CDP_KNN_DBSCAN_H

#include "baseline/neighbours.h"

// DBSCAN on neighbour lists. Item i reaches itself and every j of its list at cosine distance <= E.
// A core item reaches at least M items. Core items are taken by id: one without a label founds a
// cluster, which takes all items without a label that can be reached from it over core items
// without a label. Reaching is one-way, so clusters depend on the order of ids.

// Sets label[i] to the number of a cluster or CDP_NO_LABEL. `eps` is compared as float32, as
// distances are. Memory: 4 bytes an item.
int cdp_knn_dbscan(const struct cdp_neighbours *lists, double eps, uint64_t min_samples,
                   uint32_t *label, struct cdp_err *err);

#endif

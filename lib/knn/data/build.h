// SPDX-License-Identifier: MIT
#ifndef CDP_KNN_BUILD_H
#define CDP_KNN_BUILD_H

#include "knn/data/dataset.h"

// Makes spaces of the rows of a matrix.

// Builds the data for lists of k neighbours with `threads` threads; its sketches suit a search of
// all pairs, or an approximate one. A row with a number that is not finite, or without a direction
// where the metric needs one, is an error that names it. The matrix must outlive it.
int cdp_dataset_build(struct cdp_dataset *data, const struct cdp_matrix *matrix,
                      enum cdp_metric metric, uint32_t k, bool all_pairs, int threads,
                      struct cdp_err *err);

// Room for `count` items of data->words words; of dot products for bytes, and for data->levels
// levels of sketches and their words too.
int cdp_dataset_alloc_words(struct cdp_dataset *data, uint64_t count, struct cdp_err *err);
int cdp_dataset_alloc_bytes(struct cdp_dataset *data, uint64_t count, struct cdp_err *err);
int cdp_dataset_alloc_sketches(struct cdp_dataset *data, uint64_t count, struct cdp_err *err);

// Makes v the bytes of item i.
void cdp_dataset_quantize(struct cdp_dataset *data, uint64_t i, const double *v);

#endif

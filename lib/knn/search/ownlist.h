// SPDX-License-Identifier: MIT
#ifndef CDP_KNN_OWNLIST_H
#define CDP_KNN_OWNLIST_H

#include <stdint.h>

#include "knn/data/dataset.h"
#include "knn/search/candidates.h"

// The first look of items, into the set that each belongs to: lists are empty yet, so that hardly a
// sketch rules anything out. All scores of a small set are computed side by side, from the bytes as
// columns, which takes a fraction of what it takes pair by pair.

// Items of a set at most.
enum { CDP_OWN = 256 };

// A thread's memory.
struct cdp_own {
    const struct cdp_dataset *data;
    uint32_t *panel; // the bytes of the set's items, as columns; or NULL
    float *scale, *offset;
};

// For a data of dot products. To be freed with cdp_own_free, after an error too.
int cdp_own_new(struct cdp_own *within, const struct cdp_dataset *data, struct cdp_err *err);
void cdp_own_free(struct cdp_own *within);

// Adds to the lists of `rows` items from `row` on those of the nearest among `count` items from
// `first` on: by the scores of cdp_dataset_scores, but never an item to its own list.
void cdp_own(struct cdp_own *within, uint32_t row, uint32_t rows, uint32_t first, uint32_t count,
             struct cdp_candidates *lists);

#endif

// SPDX-License-Identifier: MIT
#ifndef CDP_WITHIN_H
#define CDP_WITHIN_H

#include <stdint.h>

#include "knn/shortlist.h"
#include "knn/space.h"

// The first look of items, into the set that each belongs to: lists are empty yet, so that hardly a
// sketch rules anything out. All scores of a small set are computed side by side, from the bytes as
// columns, which takes a fraction of what it takes pair by pair.

// Items of a set at most.
enum { CDP_WITHIN = 256 };

// A thread's memory.
struct cdp_within {
    const struct cdp_space *space;
    uint32_t *panel; // the bytes of the set's items, as columns; or NULL
    float *scale, *offset;
};

// For a space of dot products. To be freed with cdp_within_free, after an error too.
int cdp_within_new(struct cdp_within *within, const struct cdp_space *space, struct cdp_err *err);
void cdp_within_free(struct cdp_within *within);

// Adds to the lists of `rows` items from `row` on those of the nearest among `count` items from
// `first` on: by the scores of cdp_space_scores, but never an item to its own list.
void cdp_within(struct cdp_within *within, uint32_t row, uint32_t rows, uint32_t first,
                uint32_t count, struct cdp_shortlists *lists);

#endif

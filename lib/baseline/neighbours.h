// SPDX-License-Identifier: MIT
#ifndef CDP_NEIGHBOURS_H
#define CDP_NEIGHBOURS_H

#include <stdint.h>

#include "base/err.h"
#include "base/progress.h"
#include "io/matrix.h"
#include "stream/table.h"

// Lists of the k nearest other rows by cosine distance, ties by smaller row, as cdp_knn finds them.
// Row i's list is target/distance[i * k] .. [i * k + k - 1], nearest first. Distances are float32,
// rounded from double: the relative error is at most 2^-24.
struct cdp_neighbours {
    uint64_t rows;
    uint32_t k;
    uint32_t *target;
    float *distance;
};

// Searches exactly for the min(k, rows - 1) nearest. Memory: 8 bytes a neighbour.
int cdp_neighbours_search(struct cdp_neighbours *lists, const struct cdp_matrix *matrix, uint64_t k,
                          int threads, struct cdp_progress *progress, struct cdp_err *err);

// Takes the first min(k, rows - 1) entries of each list of a stream; distances below 0 become 0.
// Fails, naming the file `name`, if a list has fewer, or if the metric is not cosine.
int cdp_neighbours_take(struct cdp_neighbours *lists, const struct cdp_table *table, uint64_t k,
                        const char *name, struct cdp_err *err);

void cdp_neighbours_free(struct cdp_neighbours *lists);

#endif

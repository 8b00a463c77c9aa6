// SPDX-License-Identifier: MIT
#ifndef CDP_MERGE_H
#define CDP_MERGE_H

#include <stdint.h>

#include "base/err.h"
#include "base/progress.h"
#include "stream/reader.h"

// Receives the neighbours of an item, nearest first. Returns 0, or -1 after filling err.
typedef int cdp_merge_sink(void *context, uint64_t item, const uint32_t *target,
                           const float *distance, uint32_t count, struct cdp_err *err);

// Hands the k nearest of each item's neighbours in several knn streams to the sink, items
// ascending: ties by smaller id; of a neighbour that several streams have, its smallest distance
// counts. Items without neighbours are left out. Streams are read once and side by side, to their
// ends. Adds a step of progress for each edge. Memory: an item's lists. At most 2^32 - 2 items.
int cdp_merge_lists(struct cdp_reader *const *readers, unsigned count, uint32_t k,
                    cdp_merge_sink *sink, void *context, struct cdp_progress *progress,
                    struct cdp_err *err);

#endif

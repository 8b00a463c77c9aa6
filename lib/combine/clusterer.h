// SPDX-License-Identifier: MIT
#ifndef CDP_CLUSTERER_H
#define CDP_CLUSTERER_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "propagate/map.h"

// The clusters that a consensus refines its estimate by (`add` and `cluster` of score/consensus.h):
// those of the map equation. The context is a struct cdp_clusterer of {.threads, .outer}, which
// holds nothing between a successful cdp_clusterer_cluster and the next cdp_clusterer_add.
struct cdp_clusterer {
    struct cdp_map *map;              // of the pairs so far; NULL = none
    int threads;                      // as cdp_threads() takes them
    const struct cdp_progress *outer; // with which the clustering ends; NULL = never
};

int cdp_clusterer_add(void *clusterer, const uint64_t *i, const uint64_t *j, const float *score,
                      size_t pairs, struct cdp_err *err);

// Items without a pair become clusters of their own.
int64_t cdp_clusterer_cluster(void *clusterer, uint64_t items, uint32_t *label,
                              struct cdp_err *err);
void cdp_clusterer_free(struct cdp_clusterer *clusterer);

#endif

// SPDX-License-Identifier: MIT
#ifndef CDP_SOFT_H
#define CDP_SOFT_H

#include "base/progress.h"
#include "propagate/clusters.h"
#include "propagate/graph.h"

// A share of an item in a cluster.
struct cdp_share {
    uint32_t label;
    double weight;
};

// Receives an item's shares, the largest first, then by label. Returns 0, or -1 after filling err.
typedef int cdp_share_sink(void *context, uint64_t item, const struct cdp_share *share,
                           size_t shares, struct cdp_err *err);

// Soft labels, as the original's code has them beside the clusters: each item of a component of
// more than max_size items, so one that is cut, spreads its label over all pairs, five steps far,
// in breadth-first order; a step multiplies the weight, which begins at 1, by 0.6 x the pair's
// score, and of several shortest paths to an item the heaviest counts. An item's weights are
// divided by their sum. Other items have their one label; those without a label are left out. Items
// come in their order. `threads` as cdp_threads() takes them. Time: for each item that is cut, all
// pairs within five steps. Memory: up to 25 bytes an item for each thread.
int cdp_soft(const struct cdp_graph *graph, const struct cdp_clusters *clusters, uint64_t max_size,
             cdp_share_sink *sink, void *context, int threads, struct cdp_progress *progress,
             struct cdp_err *err);

#endif

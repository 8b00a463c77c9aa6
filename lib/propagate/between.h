// SPDX-License-Identifier: MIT
#ifndef CDP_BETWEEN_H
#define CDP_BETWEEN_H

#include "propagate/clusters.h"
#include "propagate/graph.h"

// The pairs between two clusters, which might be one.
struct cdp_between {
    uint32_t cluster[2]; // ascending
    uint32_t best[2];    // the items of the pair of the highest score, the first of several, in the
                         // order of the clusters
    uint64_t pairs;
    double sum;  // of their scores
    float score; // the highest
};

// Sums up the pairs between each two clusters that have some, by ascending numbers of clusters.
// Returns how many two clusters there are, or -1; *between becomes the caller's, for free().
// Memory: 40 bytes a pair between clusters, and 40 for each two clusters that have some.
int64_t cdp_between(const struct cdp_graph *graph, const struct cdp_clusters *clusters,
                    struct cdp_between **between, struct cdp_err *err);

#endif

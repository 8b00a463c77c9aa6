// SPDX-License-Identifier: MIT
#ifndef CDP_SPINE_H
#define CDP_SPINE_H

#include "propagate/clusters.h"

// What holds each cluster together: a maximum spanning tree of its pairs, directed to one item.

#define CDP_NO_ITEM UINT32_MAX

// Sets next[i] to the item that follows on the path from i to root[label of i] and score[i] to the
// score of the pair of the two; CDP_NO_ITEM and NaN for roots, for items without a label, and for
// those that no pair connects. below[i] is the number of items whose path leads over i, itself
// counted; 0 for items that are not connected with their root. The tree must be that of the pairs
// within clusters, of a forest that remembers pairs. Memory: 24 bytes an item.
int cdp_spine(const struct cdp_tree *tree, const struct cdp_clusters *clusters,
              const uint32_t *root, uint32_t *next, float *score, uint32_t *below,
              struct cdp_err *err);

#endif

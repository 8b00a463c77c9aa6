// SPDX-License-Identifier: MIT
#ifndef CDP_PREVIOUS_H
#define CDP_PREVIOUS_H

#include "io/labels.h"
#include "io/output.h"
#include "propagate/clusters.h"

// Clusters that keep the numbers which they had before.

// Gives each cluster the number of an earlier one, so that as many items as can be keep theirs: a
// matching of largest weight of new clusters and old ones, the weight being the items that they
// share (Kuhn, Naval Research Logistics Quarterly 2, 1955; by shortest augmenting paths). Clusters
// without one get the numbers behind the largest old one, in order of first appearance. `before` is
// of integers, and may be of fewer items or more. Afterwards labels are these numbers, no longer
// those below clusters->clusters. Deterministic. Time: near linear, though no bound better than
// quadratic is known for it. Memory: 8 bytes an item, and some 16 for each two
// clusters that share items.
int cdp_clusters_keep(struct cdp_clusters *clusters, const struct cdp_labels *before,
                      struct cdp_err *err);

// Writes what has changed, a line each: kind, item or cluster, numbers before, numbers now, between
// tabs, - for none, several numbers with commas between them. Items first, in their order: added
// (now it is in a cluster), moved, gone (it is in none any more). Then clusters: merged, of items
// of several earlier ones; then earlier ones: split, among several. The clusters are those that
// cdp_clusters_keep left. Items are written by `before->names` where these are there.
int cdp_changes_write(struct cdp_output *output, const struct cdp_clusters *clusters,
                      const struct cdp_labels *before, struct cdp_err *err);

#endif

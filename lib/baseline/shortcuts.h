// SPDX-License-Identifier: MIT
#ifndef CDP_SHORTCUTS_H
#define CDP_SHORTCUTS_H

#include "base/progress.h"
#include "baseline/rows.h"
#include "baseline/spanning.h"

// Of each node of a spanning tree:
struct cdp_shortcut_node {
    uint32_t row;  // rows of different nodes differ
    double core;   // core distance
    double radius; // pairs at less than this distance have been merged; at least `core`
};

// Makes a connected forest the minimum spanning tree of all pairs of nodes, at distance max(core_i,
// core_j, |x_i - x_j|), up to height `limit`: offers each pair of at most that distance that is
// below the bottleneck of its nodes. It is fast if the forest is renumbered, and nearly minimal.
// The same heights for any number of threads; which of the pairs of equal distance are in the tree
// may differ.
int cdp_shortcuts(struct cdp_spanning *tree, const struct cdp_rows *rows,
                  const struct cdp_shortcut_node *node, double limit, int threads,
                  struct cdp_progress *progress, struct cdp_err *err);

#endif

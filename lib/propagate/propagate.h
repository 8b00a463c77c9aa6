// SPDX-License-Identifier: MIT
#ifndef CDP_PROPAGATE_H
#define CDP_PROPAGATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

// From scored pairs to clusters (Zhan et al., ECCV 2018, section 3.4; the paper's released code
// decides where they differ): the components of all pairs; those that are larger than max_size are
// cut again at a higher threshold, and so on.
//
// What a component is at every threshold at once is kept in a forest with one link a node, so
// memory is 8 bytes a node however many pairs there are, and their order does not matter.

struct cdp_forest;

// Grows with the ids that it is given; at most 2^32 - 2 nodes.
int cdp_forest_new(struct cdp_forest **forest, struct cdp_err *err);
void cdp_forest_free(struct cdp_forest *forest);

// Makes room for nodes 0 .. nodes - 1.
int cdp_forest_reserve(struct cdp_forest *forest, uint64_t nodes, struct cdp_err *err);
uint64_t cdp_forest_nodes(const struct cdp_forest *forest);

// Adds pairs of different nodes below 2^63 with finite scores. The time of a pair grows with the
// logarithm of the size of its component, expected over a fixed random order of the nodes. Not
// thread-safe.
int cdp_forest_add(struct cdp_forest *forest, const uint64_t *i, const uint64_t *j,
                   const float *score, size_t pairs, struct cdp_err *err);

// Tells the lowest score among pairs that a forest stream was reduced from.
void cdp_forest_floor(struct cdp_forest *forest, float floor);

struct cdp_propagate_plan {
    uint64_t max_size; // of a cluster; at least 1
    double step;       // the threshold th becomes th + (1 - th) x step; 0 to 1
    uint64_t max_iter; // rounds after the first one, in which no pair is cut
    bool merge;        // what remains after them: one cluster (the original), or its components
};

struct cdp_clusters {
    uint32_t *label; // nodes; 0, 1, 2, ... in order of first appearance, CDP_NO_LABEL in no pair
    uint64_t nodes;
    uint32_t clusters;
    uint64_t forced; // items that still were in too large a component after max_iter rounds
};

// Memory: 16 bytes a node. The forest stays as it is.
int cdp_propagate(const struct cdp_forest *forest, const struct cdp_propagate_plan *plan,
                  struct cdp_clusters *clusters, struct cdp_err *err);
void cdp_clusters_free(struct cdp_clusters *clusters);

#endif

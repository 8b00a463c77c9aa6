// SPDX-License-Identifier: MIT
#ifndef CDP_PROPAGATE_H
#define CDP_PROPAGATE_H

#include "propagate/clusters.h"
#include "propagate/tree.h"

// From scored pairs to clusters (Zhan et al., ECCV 2018, section 3.4; the paper's released code
// decides where they differ): the components of all pairs; those that are larger than max_size are
// cut again at a higher threshold, and so on.

struct cdp_propagate_plan {
    uint64_t max_size; // of a cluster; at least 1
    double step;       // the threshold th becomes th + (1 - th) x step; 0 to 1
    uint64_t max_iter; // rounds after the first one, in which no pair is cut
    bool merge;        // components too large after them become one cluster (as in the original)
};

// The defaults of the tools and of libcdp: the values of the original's configurations, but for
// `merge`.
#define CDP_PROPAGATE_DEFAULTS                         \
    {                                                  \
        .max_size = 600, .step = 0.05, .max_iter = 100 \
    }

// The clusters of the pairs above a threshold, as nodes of the tree.
struct cdp_cut {
    uint32_t *node; // of each cluster
    uint32_t clusters;
    uint32_t *cluster; // of each node of the tree: of leaves it is theirs, or CDP_NO_CLUSTER
    uint64_t forced;   // items that still were in too large a component after max_iter rounds
};

#define CDP_NO_CLUSTER UINT32_MAX

// Only merges above `threshold` count; `floor` is the lowest score of the pairs that do. Memory: 12
// bytes a leaf. Thread-safe.
int cdp_cut(const struct cdp_tree *tree, float threshold, float floor,
            const struct cdp_propagate_plan *plan, struct cdp_cut *cut, struct cdp_err *err);
void cdp_cut_free(struct cdp_cut *cut);

// The clusters of all pairs, or of those above a threshold as above. Memory: 20 bytes an item.
int cdp_propagate(const struct cdp_tree *tree, float threshold, float floor,
                  const struct cdp_propagate_plan *plan, struct cdp_clusters *clusters,
                  struct cdp_err *err);
#endif

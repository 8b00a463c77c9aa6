// SPDX-License-Identifier: MIT
#ifndef CDP_SPECTRAL_H
#define CDP_SPECTRAL_H

#include "base/progress.h"
#include "baseline/discretize.h"
#include "baseline/neighbours.h"

// Spectral clustering (Ng, Jordan, Weiss: On spectral clustering, NIPS 2001) of the graph in which
// two items are adjacent with weight 1 if each is in the other's list, with 1/2 if one is. Let W be
// the weights and D their sums: eigenvectors of the C smallest eigenvalues of I - D^-1/2 W D^-1/2
// make clusters.
//
// Eigenvectors of different connected components do not meet, so each component is taken on its
// own, and has as many clusters as eigenvectors among the C. If there are more components than C,
// the C largest have one each (ties: the one with the smaller item), and items of the others belong
// to the cluster of the largest component.

struct cdp_spectral_plan {
    uint64_t clusters;
    enum cdp_assign assign;
    int threads;
    struct cdp_progress *progress;
};

// Sets label[i] to a number below the number of items. Unless `values` is NULL, sets it to the
// C + 1 smallest eigenvalues, ascending, or to all if the items are fewer, and leaves the labels.
// Memory: as cdp_eigenpairs_find for each component. Results do not depend on the number of
// threads.
int cdp_spectral(const struct cdp_neighbours *lists, const struct cdp_spectral_plan *plan,
                 uint32_t *label, double *values, struct cdp_err *err);

#endif

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
//
// Small components, and those of which half of the eigenvectors are wanted, are solved as dense
// matrices; others by subspace iteration with Chebyshev filters (Zhou, Saad, Tiago, Chelikowsky:
// Self-consistent-field calculations using Chebyshev-filtered subspace iteration, J. Comput. Phys.
// 219 (2006)), until eigenvalues are right to 5e-7 by their residuals.

struct cdp_spectral_plan {
    uint64_t clusters;
    enum cdp_assign assign;
    int threads;
    struct cdp_progress *progress;
};

// Sets label[i] to a number below the number of items. Unless `values` is NULL, sets it to the
// C + 1 smallest eigenvalues, ascending, or to all if the items are fewer, and leaves the labels.
// Memory: 8 bytes for each item and eigenvector of its component, some 7 matrices of C x C, and 800
// bytes an item and 256 more for each thread. Results do not depend on the number of threads.
int cdp_spectral(const struct cdp_neighbours *lists, const struct cdp_spectral_plan *plan,
                 uint32_t *label, double *values, struct cdp_err *err);

#endif

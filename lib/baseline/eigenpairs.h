// SPDX-License-Identifier: MIT
#ifndef CDP_EIGENPAIRS_H
#define CDP_EIGENPAIRS_H

#include <stdint.h>

#include "base/progress.h"
#include "baseline/laplacian.h"

// The largest eigenvalues of N (laplacian.h), which are 1 less the smallest of the Laplacian, and
// their eigenvectors, of one component. Components of CDP_EIGENPAIRS_DENSE items at most, and those
// of which half of the eigenvectors are iterated, are solved as dense matrices; others by subspace
// iteration with Chebyshev filters (Zhou, Saad, Tiago, Chelikowsky: Self-consistent-field
// calculations using Chebyshev-filtered subspace iteration, J. Comput. Phys. 219 (2006)), until
// eigenvalues are right to 5e-7 by their residuals, or 40 rounds are over.

enum { CDP_EIGENPAIRS_DENSE = 256 };

struct cdp_eigenpairs {
    struct cdp_places places;
    uint64_t wanted; // eigenvalues
    uint64_t block;  // columns of `vector`, at least `wanted`: the others speed up convergence
    double cut;      // filters damp eigenvalues of the Laplacian from here on
    double *vector;  // items x block, orthonormal columns: the first `wanted` are eigenvectors
    double *value;   // `wanted` eigenvalues of N, descending
};

// Finds the pairs for places, wanted, block and cut, of which it changes the last two. Frees those
// found before. Memory: 8 bytes for each item and column, some 7 matrices of block x block, and 800
// bytes an item and 256 more for each thread. Results do not depend on `threads`, at least 1.
int cdp_eigenpairs_find(struct cdp_eigenpairs *pairs, const struct cdp_laplacian *laplacian,
                        int threads, struct cdp_progress *progress, struct cdp_err *err);
void cdp_eigenpairs_free(struct cdp_eigenpairs *pairs);

#endif

// SPDX-License-Identifier: MIT
#ifndef CDP_DISCRETIZE_H
#define CDP_DISCRETIZE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/progress.h"

// Clusters from eigenvectors.

enum cdp_assign {
    // Yu, Shi: Multiclass spectral clustering, ICCV 2003, as scikit-learn has it: alternates
    // between the nearest partition and the nearest rotation, until the partition stays or 30
    // times.
    CDP_ASSIGN_DISCRETIZE,
    // Damle, Minden, Ying: Simple, direct and efficient multi-way spectral clustering, Information
    // and Inference 8 (2019).
    CDP_ASSIGN_CLUSTER_QR,
};

// Sets label[i], i < rows, to the cluster, below k, of row i of `embedding`: k numbers, `stride`
// apart, the item's parts of orthonormal eigenvectors. root[i] is the root of the item's degree.
// Both methods begin with k rows, which are chosen among all, or among 4 k of more than 4,096.
// CDP_ASSIGN_DISCRETIZE changes the embedding. `threads` is at least 1. Memory: three matrices of
// k x k, what cdp_dense_eigen takes for one, 1,024 rows a thread and those to choose from, 73 bytes
// a row.
int cdp_discretize(double *embedding, const double *root, size_t rows, size_t k, size_t stride,
                   enum cdp_assign assign, uint32_t *label, int threads,
                   const struct cdp_progress *progress, struct cdp_err *err);

#endif

// SPDX-License-Identifier: MIT
#ifndef CDP_KNN_PCA_H
#define CDP_KNN_PCA_H

#include "base/err.h"
#include "knn/kernel/kernel.h"

// Looks for the `width` directions in which `count` rows of `dim` short numbers (kernel.h) spread
// the most, by orthogonal iteration (Golub, Van Loan: Matrix Computations, section 8.2.4), and
// writes them as `dim` lines of `width` short numbers, the one of most spread first. They are as
// good as a few iterations make them. *slack receives how far they are from orthonormal: the
// Frobenius norm of PtP - I. The same bits from every instruction set and number of threads.
// `width` is a multiple of CDP_PANEL_COLUMNS, and not above `dim` or `count`.
int cdp_pca(float *directions, size_t width, double *slack, const float *rows, size_t count,
            size_t dim, const struct cdp_kernel *kernel, int threads, struct cdp_err *err);

// out = rows x directions (kernel.h), by all threads.
void cdp_pca_project(const struct cdp_kernel *kernel, const float *rows, size_t count, size_t dim,
                     const float *directions, size_t width, float *out, int threads);

#endif

// SPDX-License-Identifier: MIT
#ifndef CDP_DENSE_H
#define CDP_DENSE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/progress.h"

// Dense matrices of double precision. Sums have one order: results are the same bits for any number
// of threads and instruction set. `threads` is a number of threads, at least 1. Of `progress` only
// the flag to end is used; it may be NULL.

// A matrix or its transpose in memory: number (i, j) is at[i * down + j * across].
struct cdp_dense {
    const double *at;
    size_t down, across;
};

// C = A B, of rows x columns, by sums over `depth`. C is row by row, `stride` numbers apart. With
// `upper`, numbers (i, j) of i > j may be left out. C must not overlap A and B.
struct cdp_dense_product {
    struct cdp_dense a, b;
    size_t rows, columns, depth;
    double *c;
    size_t stride;
    bool upper;
};

// Memory: 2 KiB a column and 256 KiB a thread.
int cdp_dense_multiply(const struct cdp_dense_product *product, int threads,
                       const struct cdp_progress *progress, struct cdp_err *err);

// The eigenvalues of a symmetric matrix of n x n, descending, and its eigenvectors, one a row, in
// place of the matrix. By reflection to a tridiagonal matrix and implicit QL (Golub, Van Loan:
// Matrix computations, sections 8.3.1 and 8.3.5). Fails if QL does not converge in 60 sweeps an
// eigenvalue, as for numbers that are not finite. Memory: another matrix, and
// some n^2 rotations of QL, 24 bytes each.
int cdp_dense_eigen(double *matrix, size_t n, double *value, int threads,
                    const struct cdp_progress *progress, struct cdp_err *err);

// sum[i] = the inner product of x and row i of `rows` rows, `stride` numbers apart, of n numbers.
void cdp_dense_products(const double *x, const double *row, size_t rows, size_t stride, size_t n,
                        double *sum, int threads);

#endif

// SPDX-License-Identifier: MIT
#ifndef CDP_KMEANS_H
#define CDP_KMEANS_H

#include "baseline/starts.h"

// K-means of rows divided by their lengths. Exact: labels and centroids are those
// of plain code in double precision (nearest.h defines the distance). The same bytes for any number
// of threads and instruction set.

// Lloyd's iterations (Least squares quantization in PCM, IEEE Transactions on Information Theory
// 28(2), 1982), at most CDP_KMEANS_ITERATIONS: rows go to their nearest centroid, of equally near
// ones the first; a centroid moves to the mean of its rows, added in their order. A centroid
// without rows stays where it is. Bounds of distances carry over to the next iteration (Hamerly,
// Making k-means even faster, SDM 2010), with the centroids that moved far compared one by one.
// Memory: dim + 60 bytes a row, 11 x dim bytes a centroid. Free the result also after an error.
int cdp_kmeans(const struct cdp_rows *rows, const struct cdp_kmeans_plan *plan,
               struct cdp_kmeans_result *result, struct cdp_err *err);

enum { CDP_KMEANS_ITERATIONS = 300 };

#endif

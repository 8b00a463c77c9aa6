// SPDX-License-Identifier: MIT
#ifndef CDP_KNN_H
#define CDP_KNN_H

#include <stdint.h>

#include "base/err.h"
#include "base/progress.h"
#include "io/matrix.h"
#include "stream/stream.h"

// Exact nearest neighbours.
//
// The neighbours of row i are the k other rows of smallest distance, ties by smaller row number,
// where a distance is computed in double precision from the rows as float32 numbers:
//
//   cosine   1 - x.y / sqrt(x.x y.y)         angular  the angle, acos(x.y / sqrt(x.x y.y))
//   l2       sqrt(sum (x - y)^2)             l1       sum |x - y|
//   linf     max |x - y|                     hamming  number of bits that differ
//
// hamming: rows of 8-bit integers are packed bits; of any other number, each number is a bit, set
// where it is above 0. Equal rows are at distance 0 exactly. A row with NaN or Inf is an error that
// names the row; so is a row of zeros under cosine and angular, where it has no direction.
//
// A single-precision pass over cache-sized tiles, with a proven bound on its error, decides which
// rows can be among the k nearest; those are computed again in double precision. So the result is
// the same bytes for any instruction set and number of threads.

struct cdp_knn_plan {
    uint32_t k; // 1 <= k < rows
    enum cdp_metric metric;
    uint64_t first, last; // the query rows: first <= i < last
    int threads;          // as cdp_threads() takes it
    struct cdp_progress *progress;
};

// Receives the neighbours of a query: k targets and distances, nearest first. Called from one
// thread at a time, with the rows in ascending order. Returns 0, or -1 after filling err to stop
// the work.
typedef int cdp_knn_sink(void *context, uint64_t row, const uint32_t *target, const float *distance,
                         struct cdp_err *err);

// Memory beside the matrix: one float32 copy of it, and the lists of some thousand queries.
int cdp_knn_exact(const struct cdp_matrix *matrix, const struct cdp_knn_plan *plan,
                  cdp_knn_sink *sink, void *context, struct cdp_err *err);

// The kernel's instruction set: the best that this processor has, or a lower one where the
// environment variable CDP_ISA names it ("avx2", "plain").
const char *cdp_knn_isa(void);

#endif

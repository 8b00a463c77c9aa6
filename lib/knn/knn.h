// SPDX-License-Identifier: MIT
#ifndef CDP_KNN_H
#define CDP_KNN_H

#include <stdint.h>

#include "base/err.h"
#include "base/progress.h"
#include "io/matrix.h"
#include "stream/stream.h"

// Nearest neighbours.
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
// Fast passes, over cache-sized tiles, decide which rows can be among the k nearest: for cosine,
// angular and l2 in few principal directions and then by products of bytes, with proven bounds on
// what they may be off by. These rows are computed again in double precision. So the result is the
// same bytes for any instruction set and number of threads.

enum cdp_knn_method { CDP_KNN_AUTO, CDP_KNN_EXACT, CDP_KNN_APPROX };

struct cdp_knn_plan {
    uint32_t k; // 1 <= k < rows
    enum cdp_metric metric;
    uint64_t first, last; // the query rows: first <= i < last
    int threads;          // as cdp_threads() takes it
    struct cdp_progress *progress;
    enum cdp_knn_method method;
    double recall; // wanted of CDP_KNN_APPROX: the share of the k nearest that is found
};

// Receives the neighbours of a query: k targets and distances, nearest first. Called from one
// thread at a time, with the rows in ascending order. Returns 0, or -1 after filling err to stop
// the work.
typedef int cdp_knn_sink(void *context, uint64_t row, const uint32_t *target, const float *distance,
                         struct cdp_err *err);

// The method that CDP_KNN_AUTO takes: exact where that is the faster or nearly so, and wherever
// only some of the rows are queries.
enum cdp_knn_method cdp_knn_choose(const struct cdp_matrix *matrix,
                                   const struct cdp_knn_plan *plan);

// *found receives the recall that was measured, 1 if the result is exact. Memory beside the matrix:
// cosine, angular, l2: a byte a number, and a sketch of at most that, a quarter of it as a rule,
// which there is twice while near rows are looked for; hamming: a bit a number; other metrics:
// another copy of the rows, hamming of the bits, if approximate. 12 bytes a
// neighbour, of at most 4 GiB of queries at a time if exact; 8 bytes an item where cells exclude
// pairs; and 8 to 20 bytes a neighbour for lists that are not measured yet, of which there are up
// to four times as many, within 4 GiB, where rows are nearly copies of one another.
int cdp_knn(const struct cdp_matrix *matrix, const struct cdp_knn_plan *plan, cdp_knn_sink *sink,
            void *context, double *found, struct cdp_err *err);

#endif

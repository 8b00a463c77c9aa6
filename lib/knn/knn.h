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
//   cosine   1 - x.y / sqrt(x.x y.y)         angular  the angle whose cosine is that
//   l2       sqrt(sum (x - y)^2)             l1       sum |x - y|
//   linf     max |x - y|                     hamming  number of bits that differ
//
// hamming: rows of 8-bit integers are packed bits; of any other number, each number is a bit, set
// where it is above 0. Equal rows are at distance 0 exactly; cosine and angular have all digits of
// float32 also of nearly parallel rows (knn/distance.h). A row with NaN or Inf is an error that
// names the row; so is a row of zeros under cosine and angular, where it has no direction, and rows
// whose distance is beyond float32.
//
// Rows that equal another one are copies of the first of them. Each distinct row is searched once.
//
// Fast passes, over cache-sized tiles, decide which rows can be among the k nearest: for cosine,
// angular and l2 in few principal directions and then by products of bytes, with proven bounds on
// what they may be off by. These rows are computed again in double precision. So the result is the
// same bytes for any instruction set and number of threads.

enum cdp_knn_method { CDP_KNN_AUTO, CDP_KNN_EXACT, CDP_KNN_APPROX };

enum cdp_knn_copies {
    CDP_COPIES_LIST, // copies are listed like any other rows
    // A row that differs from all rows before it has the k nearest of these, or all where there are
    // fewer; a copy has the first of its equals only, at distance 0.
    CDP_COPIES_ONCE,
};

struct cdp_knn_plan {
    uint32_t k; // 1 <= k < rows
    enum cdp_metric metric;
    uint64_t first, last; // the query rows: first <= i < last
    int threads;          // as cdp_threads() takes it
    struct cdp_progress *progress;
    enum cdp_knn_method method;
    double recall; // wanted of CDP_KNN_APPROX: the share of the k nearest that is found
    enum cdp_knn_copies copies;
};

struct cdp_knn_result {
    double recall;    // of the lists, as measured on a sample of them; 1 if they are exact
    uint64_t crowded; // CDP_COPIES_LIST: query rows whose lists hold nothing but their copies
};

// Receives the neighbours of a query, nearest first: k targets and distances, but of
// CDP_COPIES_ONCE perhaps fewer. Called from one thread at a time, with the rows in ascending
// order. Returns 0, or -1 after filling err to stop the work.
typedef int cdp_knn_sink(void *context, uint64_t row, const uint32_t *target, const float *distance,
                         uint32_t count, struct cdp_err *err);

// The method that CDP_KNN_AUTO takes: exact where that is the faster or nearly so, and wherever
// only some of the rows are queries.
enum cdp_knn_method cdp_knn_choose(const struct cdp_matrix *matrix,
                                   const struct cdp_knn_plan *plan);

// Memory beside the matrix: 28 bytes a row while equal rows are looked for, 20 if there are any;
// cosine, angular, l2: a byte a number, and a sketch of at most that, a quarter of it as a rule,
// which there is twice while near rows are looked for; hamming: a bit a number; other metrics:
// another copy of the rows, hamming of the bits, if approximate. 12 bytes a
// neighbour, of at most 4 GiB of queries at a time if exact; 8 bytes an item where cells exclude
// pairs; and 8 to 20 bytes a neighbour for lists that are not measured yet, of which there are up
// to four times as many, within 4 GiB, where rows are nearly copies of one another.
int cdp_knn(const struct cdp_matrix *matrix, const struct cdp_knn_plan *plan, cdp_knn_sink *sink,
            void *context, struct cdp_knn_result *result, struct cdp_err *err);

#endif

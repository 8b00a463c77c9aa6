// SPDX-License-Identifier: MIT
#ifndef CDP_KNN_H
#define CDP_KNN_H

#include <stdint.h>

#include "base/err.h"
#include "base/progress.h"
#include "io/matrix.h"
#include "stream/stream.h"

// Nearest neighbours; README.md shows the way of a row.
//
// The neighbours of row i are the k other rows of smallest distance, ties by smaller row number. A
// distance is computed in double precision from the rows as float32 numbers:
//
//   cosine   1 - x.y / sqrt(x.x y.y)         angular  the angle with that cosine
//   l2       sqrt(sum (x - y)^2)             l1       sum |x - y|
//   linf     max |x - y|                     hamming  number of different bits
//
// hamming: rows of 8-bit integers are packed bits; of other types each number is a bit, set if it
// is above 0. Equal rows have distance 0 exactly; cosine and angular keep all digits of float32 for
// nearly parallel rows (cdp_distance_key). These rows are errors: with NaN or Inf; of zeros under
// cosine and angular; and those whose distance does not fit float32.
//
// Results are the same bytes for any instruction set and number of threads.

enum cdp_knn_method { CDP_KNN_AUTO, CDP_KNN_EXACT, CDP_KNN_APPROX };

enum cdp_knn_copies {
    CDP_COPIES_LIST, // equal rows are listed like any other rows
    // The first of equal rows has the k nearest of such first rows, or all if there are fewer; the
    // others have only that first row, at distance 0.
    CDP_COPIES_ONCE,
};

struct cdp_knn_plan {
    uint32_t k; // 1 <= k < rows
    enum cdp_metric metric;
    uint64_t first, last; // the query rows: first <= i < last
    int threads;          // as cdp_threads() takes it
    struct cdp_progress *progress;
    enum cdp_knn_method method;
    double recall; // for CDP_KNN_APPROX: the share of the k nearest to find
    enum cdp_knn_copies copies;
};

struct cdp_knn_result {
    double recall;    // of the lists, measured on a sample; 1 if they are exact
    uint64_t crowded; // CDP_COPIES_LIST: query rows whose lists hold only rows equal to them
};

// Receives the neighbours of a query, nearest first: k targets and distances, or fewer for
// CDP_COPIES_ONCE. Called from one thread at a time, in ascending order of rows. Returns 0, or -1
// and fills err to stop the search.
typedef int cdp_knn_sink(void *context, uint64_t row, const uint32_t *target, const float *distance,
                         uint32_t count, struct cdp_err *err);

// The method for CDP_KNN_AUTO: exact if that is about as fast, or if only some rows are queries.
enum cdp_knn_method cdp_knn_choose(const struct cdp_matrix *matrix,
                                   const struct cdp_knn_plan *plan);

// Searches. Memory beside the matrix, for each row: 28 bytes while equal rows are looked for, then
// 20 if there are any; for cosine, angular and l2 a byte a number and a sketch of at most that, a
// quarter as a rule, twice while inverted lists exist; for hamming a bit a number; for other
// metrics a copy of rows that are not plain float32. Result lists take 12 bytes a neighbour, exact
// ones at most 4 GiB at a time; candidate lists 8 to 20 bytes a neighbour, and up to four times as
// many where rows are nearly equal, within 4 GiB; hyperplanes 8 bytes a row.
int cdp_knn(const struct cdp_matrix *matrix, const struct cdp_knn_plan *plan, cdp_knn_sink *sink,
            void *context, struct cdp_knn_result *result, struct cdp_err *err);

#endif

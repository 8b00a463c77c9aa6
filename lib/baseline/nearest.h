// SPDX-License-Identifier: MIT
#ifndef CDP_NEAREST_H
#define CDP_NEAREST_H

#include <stdint.h>

#include "base/err.h"
#include "base/progress.h"
#include "baseline/rows.h"
#include "knn/data/sketch.h"

// The nearest centroid of each row, exactly: tiles of int8 codes (knn/data/sketch.h) prune, and
// what they cannot decide is measured in double.
//
// The distance of a row x to a centroid c is that of x / |x|, in double:
//
//   square = sum over d of (x[d] inverse - c[d])^2, inverse = 1 / |x|,
//
// with eight partial sums, of d = 0 to 7 modulo 8, added as ((s0 + s4) + (s2 + s6)) + ((s1 + s5) +
// (s3 + s7)). Of equal squares the smaller centroid is nearer. Results are the same bytes for any
// number of threads and instruction set. `threads` is at least 1 here, except in cdp_points_new.

// Int8 codes of vectors, less one origin, in units of one step, with bounds of their errors.
struct cdp_codes {
    uint32_t *word;            // of each vector, points->sketcher.words
    struct cdp_sketch *sketch; // of each vector
};

// Rows and their codes.
struct cdp_points {
    const struct cdp_rows *rows;
    double (*square)(const float *x, double inverse, const double *c, size_t dim); // as above
    double *origin; // dim numbers, about the mean of the rows
    struct cdp_sketcher sketcher;
    struct cdp_codes codes;
};

// Encodes rows, which must outlive the points. Memory: dim + 12 bytes a row. Free them also after
// an error.
int cdp_points_new(struct cdp_points *points, const struct cdp_rows *rows, int threads,
                   struct cdp_err *err);
void cdp_points_free(struct cdp_points *points);

// The square above, of a row and a centroid. Thread-safe.
double cdp_points_square(const struct cdp_points *points, uint64_t row, const double *centroid);

// Words of a code as a row of a tile, and a code packed like that.
size_t cdp_points_line(const struct cdp_points *points);
void cdp_points_pack(const struct cdp_points *points, uint64_t row, uint32_t *line);

// Codes as the columns of tiles, in any order.
struct cdp_columns {
    uint32_t count;
    const uint32_t *id; // vector of each column; NULL: column i is vector i. Not owned
    uint32_t *panel;    // see kernel.h
    int32_t *offset;    // -q.q / 2 of each column
    float *error;       // of each column's code,
    float *max_error;   // and the largest of each tile
};

// Makes room for `capacity` columns. Free it also after an error.
int cdp_columns_new(struct cdp_columns *columns, const struct cdp_points *points, uint32_t capacity,
                    struct cdp_err *err);
void cdp_columns_free(struct cdp_columns *columns);
void cdp_columns_pack(struct cdp_columns *columns, const struct cdp_points *points,
                      const struct cdp_codes *codes, const uint32_t *id, uint32_t count,
                      int threads);

struct cdp_centroids {
    uint32_t count;
    double *number; // count x dim
    struct cdp_codes codes;
    struct cdp_columns columns; // of all of them
};

// `count` centroids, not set yet. Free them also after an error.
int cdp_centroids_new(struct cdp_centroids *centroids, const struct cdp_points *points,
                      uint32_t count, struct cdp_err *err);
void cdp_centroids_free(struct cdp_centroids *centroids);

// Encodes the centroids `id`, or the first `count` if it is NULL, and packs all.
int cdp_centroids_encode(struct cdp_centroids *centroids, const struct cdp_points *points,
                         const uint32_t *id, uint32_t count, int threads, struct cdp_err *err);

#define CDP_NO_CENTROID UINT32_MAX

// What is known of each row.
struct cdp_assignment {
    uint32_t *label; // its nearest centroid so far, or CDP_NO_CENTROID
    double *square;  // to that centroid
    float *lower;    // a lower bound of the distance to all other centroids, rounding included
};

int cdp_assignment_new(struct cdp_assignment *assignment, uint64_t rows, struct cdp_err *err);
void cdp_assignment_clear(struct cdp_assignment *assignment, uint64_t rows); // nothing is known
void cdp_assignment_free(struct cdp_assignment *assignment);

// A row, and the number of first columns that it is compared with.
static inline uint64_t cdp_job(uint32_t columns, uint32_t row)
{
    return (uint64_t)columns << 32 | row;
}

// Compares rows with columns, which are centroids. Before, lower[row] bounds the distance to the
// centroids that are neither the row's own nor among its columns: INFINITY if there are none.
// Afterwards, label and square are of the nearest of its own and its columns, and lower is as
// above. No row has two jobs; sorted jobs are fastest. Each adds 1 to the progress.
int cdp_nearest(struct cdp_assignment *assignment, const struct cdp_points *points,
                const struct cdp_centroids *centroids, const struct cdp_columns *columns,
                const uint64_t *jobs, uint64_t count, int threads, struct cdp_progress *progress,
                struct cdp_err *err);

// A distance rounded down, so that it is a lower bound of the computed distance as well.
static inline float cdp_lower(double distance)
{
    return (float)(distance * (1 - 0x1p-20));
}

#endif

// SPDX-License-Identifier: MIT
#ifndef CDP_STARTS_H
#define CDP_STARTS_H

#include <stdint.h>

#include "base/err.h"
#include "base/progress.h"
#include "baseline/nearest.h"
#include "baseline/rows.h"

// What k-means and its mini-batch variant share: plan and result, and the starts of which the best
// is kept.

struct cdp_kmeans_plan {
    uint32_t clusters; // K
    const struct cdp_matrix
        *centres;    // the first centroids, K finite rows as they are; NULL: k-means++
    uint64_t seed;   // of the random numbers
    uint32_t starts; // without `centres`: the best of so many; 0: cdp_kmeans_starts
    // Lloyd: stops after the iteration in which the centroids move, squared and summed, by at most
    // this times the mean variance of a number, as in scikit-learn. 0: when no label changes.
    double tolerance;
    uint32_t batch; // rows of a mini-batch
    int threads;    // as cdp_threads() takes it
    struct cdp_progress *progress;
};

struct cdp_kmeans_result {
    uint32_t *label; // the nearest centroid of each row, below K; some centroids may have no row
    double inertia;  // sum of the squared distances of the rows to their centroids
    uint32_t iterations; // of the start that was taken
};

void cdp_kmeans_free(struct cdp_kmeans_result *result);

// The number of starts where none is given: 1 for large problems, up to 32 for small ones, whose
// results depend most on chance.
uint32_t cdp_kmeans_starts(uint64_t rows, uint32_t clusters);

// One start: at first centroids, and rows without labels; then what the method makes of them.
struct cdp_start {
    const struct cdp_kmeans_plan *plan;
    const struct cdp_points *points;
    struct cdp_centroids centroids;
    struct cdp_assignment assignment;
    uint64_t sample; // rows that k-means++ chooses from (baseline/seeds.h), at least K
    uint64_t seed;   // of this start
    int threads;
    uint32_t iterations;
};

// Runs a method from its first centroids. 0, or -1 and fills err.
typedef int cdp_start_run(struct cdp_start *start, struct cdp_err *err);

// Runs all starts. The result is the one of smallest inertia, the first of equal ones.
int cdp_starts(const struct cdp_rows *rows, const struct cdp_kmeans_plan *plan, uint64_t sample,
               cdp_start_run *run, struct cdp_kmeans_result *result, struct cdp_err *err);

#endif

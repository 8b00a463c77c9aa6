// SPDX-License-Identifier: MIT
#ifndef CDP_COHORT_H
#define CDP_COHORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/progress.h"
#include "io/matrix.h"

// The cosines of a sample of the items, the cohort, with all items: nearly all of them are those of
// different identities, so they show how far chance goes.

enum { CDP_COSINE_BINS = 8192 }; // of equal width, over -1 to 1

// The features of one or more models side by side, each row of each model scaled to a length, as
// 16-bit integers: cosines are then sums of integers, the same on every machine, and off by some
// 2e-5.
struct cdp_fused {
    uint64_t items;
    bool *zero;    // of each item: its row is all zeros, so it has no direction
    uint64_t live; // items whose rows are not
    size_t dim;    // of all models together, rounded up to 32; the rest is 0
    int16_t *unit; // items x dim: rows of length 2^14, or all zero
    // The score of items i and j is cosine x (slope[i] + slope[j]) - (shift[i] + shift[j]); NULL:
    // the cosine.
    float *slope, *shift;
};

// `weight` are the squared lengths of the models' rows; their sum must be 1. A number that is not
// finite is an error that names its row. Memory: 2 bytes for each of items x dim, and one for
// each item.
int cdp_fused_new(struct cdp_fused *fused, const struct cdp_matrix *model, const double *weight,
                  unsigned models, int threads, struct cdp_err *err);
void cdp_fused_free(struct cdp_fused *fused);

// The scores of an item and others, in units of 2^-28, from -1 to 1. Thread-safe.
void cdp_fused_scores(const struct cdp_fused *fused, uint64_t item, const uint32_t *other,
                      size_t others, int32_t *score);

// From now on the score of a pair is the mean of the two items' normalised cosines, (cosine -
// mean) / deviation, over CDP_NORMAL_RANGE: mean and deviation of the item's largest cosines with
// live items of other clusters, one of each of up to 2,048 clusters (adaptive symmetric
// normalisation of speaker verification; Matejka et al., Interspeech 2017). It reduces hubness.
// Fewer than CDP_LEAST_CLUSTERS clusters of live items change nothing. label[i] < clusters.
// Adds a step of progress for each item.
int cdp_fused_normalise(struct cdp_fused *fused, const uint32_t *label, uint32_t clusters,
                        int threads, struct cdp_progress *progress, struct cdp_err *err);
#define CDP_NORMAL_RANGE 64
enum { CDP_LEAST_CLUSTERS = 200 };

// From now on it is the cosine again.
void cdp_fused_plain(struct cdp_fused *fused);

// The score of a pair of this cosine, both in units of 2^-28.
static inline int32_t cdp_fused_score(const struct cdp_fused *fused, int32_t cosine, uint64_t i,
                                      uint64_t j)
{
    if (!fused->slope)
        return cosine;
    double score = (double)cosine * ((double)fused->slope[i] + (double)fused->slope[j]) -
                   ((double)fused->shift[i] + (double)fused->shift[j]);
    score = score < -0x1p28 ? -0x1p28 : score;
    score = score > 0x1p28 ? 0x1p28 : score;
    return (int32_t)score;
}

static inline uint32_t cdp_cosine_bin(int32_t cosine)
{
    int32_t bin = (cosine + (1 << 28)) >> 16; // 2^29 units in 2^13 bins
    return bin < 0 ? 0 : bin < CDP_COSINE_BINS ? (uint32_t)bin : CDP_COSINE_BINS - 1;
}

struct cdp_cohort {
    uint32_t rows;    // as many as were wanted, or all live items where these are fewer
    uint32_t *item;   // of each row, ascending; drawn by a hash of the number
    uint32_t *counts; // rows x CDP_COSINE_BINS: of the cosines with all other live items
};

// Adds a step of progress for each item. Memory: 32 KiB a row.
int cdp_cohort_new(struct cdp_cohort *cohort, const struct cdp_fused *fused, uint32_t rows,
                   int threads, struct cdp_progress *progress, struct cdp_err *err);
void cdp_cohort_free(struct cdp_cohort *cohort);

// The same counts of the cosines of each row with the other items of its cluster: rows x
// CDP_COSINE_BINS, which the caller frees. label[i] < clusters. NULL after a failure.
uint32_t *cdp_cohort_inside(const struct cdp_cohort *cohort, const struct cdp_fused *fused,
                            const uint32_t *label, uint32_t clusters, int threads,
                            struct cdp_err *err);

#endif

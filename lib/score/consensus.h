// SPDX-License-Identifier: MIT
#ifndef CDP_CONSENSUS_H
#define CDP_CONSENSUS_H

#include <stdbool.h>

#include "base/progress.h"
#include "score/posterior.h"
#include "score/score.h"

// Scored pairs of one model or of a committee without labels and without a threshold to choose.
// The committee becomes one model, features side by side; the score of a pair is the probability
// that it is true, from what the cosines of a sample have beyond those of chance
// (score/posterior.h). The threshold is the one with the best expected F measure; the clusters of
// a first threshold refine the estimate.

enum { CDP_MOST_MODELS = 64, CDP_COHORT_ROWS = 2048 };

// Take pairs with their scores, ascending, and cluster those taken since the last time: fill
// label[0 .. items - 1] with numbers from 0 on. Returns how many clusters, or -1 after filling err.
typedef int cdp_cluster_add_function(void *context, const uint64_t *i, const uint64_t *j,
                                     const float *score, size_t pairs, struct cdp_err *err);
typedef int64_t cdp_cluster_function(void *context, uint64_t items, uint32_t *label,
                                     struct cdp_err *err);

struct cdp_consensus_plan {
    unsigned models;
    const struct cdp_table *lists;     // of each model: neighbours of all items
    const struct cdp_matrix *features; // of each model
    double alarms;                     // false pairs an item that are accepted; 0: found
    cdp_cluster_add_function *add;
    cdp_cluster_function *cluster;
    void *context;
    int threads;
    struct cdp_progress *progress;
};

// What was found.
struct cdp_consensus {
    double weight[CDP_MOST_MODELS];          // of each model; their sum is 1
    struct cdp_null member[CDP_MOST_MODELS]; // each model's null
    double separation[CDP_MOST_MODELS];      // each model's mean z of true pairs; NaN: none found
    bool normalised;                         // the nulls are of normalised cosines
    struct cdp_null first, null;             // of the committee, before and after clustering
    double ratio;                            // of their deviations
    double partners;                         // true pairs expected of an item, of all items
    bool signal;                             // the cosines show true pairs at all
    double recall;                           // of true pairs inside clusters, above the threshold
    double strength;                         // 0: the rule for weak models, 1: for strong ones
    double threshold, alarms;                // z, and false pairs expected of an item above it
    double evidence;                         // part of a score's weight that counts, up to 1
    uint64_t pairs;                          // handed out
    struct cdp_posterior posterior;
};

// Whether the cosines of pairs by chance are Gaussian, by cdp_consensus.ratio: clusters that are
// left out of the null change its deviation little then. Found with faces, digits, clothes, texts.
static inline bool cdp_consensus_gaussian(double ratio)
{
    return ratio >= 0.8 && ratio <= 1.3;
}

// The weights with which the models' features, each of length 1, stand side by side: their squared
// lengths; their sum is 1. Those of Fisher's linear discriminant for the models' z of a pair; none
// of the z counts below 2 % of the largest. A model's true pairs are those that the other models
// find together (of which one in ten is by chance), since pairs that its own z had chosen would
// show even noise to be good; only where the others find none are they those of all models.
// `member` gets each model's null, `separation` its mean z of those true pairs, NaN where there are
// none. One model has weight 1, and the others are not set. Memory: 2 bytes a feature, 16 MiB, and
// for each neighbour of 512 items 8 bytes a model.
int cdp_committee_weights(double *weight, struct cdp_null *member, double *separation,
                          const struct cdp_consensus_plan *plan, struct cdp_err *err);

// Hands the pairs above the threshold to the sink, with their scores as the one value: the
// probability p that a pair is true; for strong models also by overlaps (score/overlap.h), for weak
// ones 1 - (1 - p)^evidence. All lists and features must be of the same items. Memory: 2 bytes a
// feature, 36 bytes a pair of the lists, and what `add` and `cluster` take; 128 MiB for the sample.
int cdp_consensus(struct cdp_consensus *consensus, const struct cdp_consensus_plan *plan,
                  cdp_pair_sink *sink, void *context, struct cdp_err *err);

#endif
